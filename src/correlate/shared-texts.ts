/** Texts that come again and again, such as the targets and user agents of requests: one string for equal ones. */

/** Characters of all texts together; then it begins anew. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export class SharedTexts {
  private readonly known = new Map<string, string>();
  private characters = 0;

  /** Longer texts than this are cut. */
  constructor(private readonly maxLength: number) {}

  /** `isPart`: the text is a part of a string that need not be kept with it. */
  get(text: string, isPart = false): string {
    const short = text.length <= this.maxLength ? text : `${text.slice(0, this.maxLength - 1)}…`;
    const known = this.known.get(short);
    if (known !== undefined) return known;
    if (this.characters > MAX_CHARACTERS) {
      this.known.clear();
      this.characters = 0;
    }
    const own = isPart || short !== text ? copyOf(short) : short;
    this.known.set(own, own);
    this.characters += own.length;
    return own;
  }
}

/** Made of a part of a string, the engine would keep the whole of it: with what was cut off. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
