/** Texts that come again and again, such as the targets and user agents of requests: one string for equal ones. */

/** Characters of all texts together; then it begins anew. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export class SharedTexts {
  private readonly known = new Map<string, string>();
  private characters = 0;

  constructor(
    /** What is made of a text before it is kept. */
    private readonly make: (text: string) => string,
    /** Longer results are cut. */
    private readonly maxLength: number,
  ) {}

  get(text: string): string {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const made = this.make(text);
    const shown = detached(made.length <= this.maxLength ? made : `${made.slice(0, this.maxLength - 1)}…`);
    if (this.characters > MAX_CHARACTERS) this.clear();
    this.known.set(text, shown);
    this.characters += text.length + shown.length;
    return shown;
  }

  clear(): void {
    this.known.clear();
    this.characters = 0;
  }
}

/** A copy: a part of a string would keep the whole of it, with what was cut off. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
