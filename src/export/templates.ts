/** The templates of a session: one for each set of fields that some record had values for. */
import type { FlowRecord } from './record.js';
import { Template, type Field } from './template.js';

/** A bit in the key of a record; a number holds so many exactly. */
const BITS = 52;

/** By the fields that are known; each level of the tree stands for some of them. */
type Node = Map<number, Node | Template>;

export class Templates {
  private readonly root: Node = new Map();
  /** In the order of their ids. */
  readonly all: Template[] = [];
  /** Of the fields that something measures: kind and index of their places. */
  private readonly isText: readonly boolean[];
  private readonly index: readonly number[];
  private readonly fields: readonly Field[];

  constructor(
    fields: readonly Field[],
    private readonly firstId: number,
    /** As many as there may be; a record that needs another one is not exported. */
    private readonly most = 512,
  ) {
    this.fields = fields.filter(({ element }) => element.place !== null);
    this.isText = this.fields.map(({ element }) => element.place?.kind === 'text');
    this.index = this.fields.map(({ element }) => element.place?.index ?? 0);
  }

  /** The template of what a record knows; null when it knows nothing, or there are too many. */
  of({ numbers, texts }: FlowRecord): Template | null {
    const { isText, index, root } = this;
    const count = index.length;
    let node = root;
    let key = 0;
    let bit = 1;
    for (let i = 0; i < count; i++) {
      const at = index[i] as number;
      const isKnown = isText[i] === true ? texts[at] !== null : (numbers[at] as number) === (numbers[at] as number);
      if (isKnown) key += bit;
      bit *= 2;
      if ((i + 1) % BITS === 0 && i + 1 < count) {
        node = child(node, key);
        key = 0;
        bit = 1;
      }
    }
    const found = node.get(key);
    if (found instanceof Template) return found;
    return this.make(node, key, numbers, texts);
  }

  /** The collector knows none of them any more. */
  forgetAnnounced(): void {
    for (const template of this.all) template.isAnnounced = false;
  }

  private make(node: Node, key: number, numbers: Float64Array, texts: readonly (string | null)[]): Template | null {
    const known = this.fields.filter((_, i) => {
      const at = this.index[i] ?? 0;
      return this.isText[i] === true ? texts[at] !== null : !Number.isNaN(numbers[at]);
    });
    if (known.length === 0 || this.all.length >= this.most) return null;
    const template = new Template(this.firstId + this.all.length, known);
    this.all.push(template);
    node.set(key, template);
    return template;
  }
}

function child(node: Node, key: number): Node {
  const found = node.get(key);
  if (found instanceof Map) return found;
  const made: Node = new Map();
  node.set(key, made);
  return made;
}
