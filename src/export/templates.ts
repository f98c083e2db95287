/** The templates of a session: one for each set of fields that some record had values for. */
import type { FlowRecord } from './record.js';
import { Template, type Field } from './template.js';

/** Fields that one level of the tree stands for: bits of a small integer. */
const BITS = 30;

/** By the fields that are known; each level of the tree stands for some of them. */
type Node = Map<number, Node | Template>;

export class Templates {
  private readonly root: Node = new Map();
  /** In the order of their ids. */
  readonly all: Template[] = [];
  /** Of the fields that something measures: the index of a number, or the complement of that of a text. */
  private readonly places: Int32Array;
  private readonly fields: readonly Field[];

  constructor(
    fields: readonly Field[],
    private readonly firstId: number,
    /** As many as there may be; a record that needs another one is not exported. */
    private readonly most = 512,
  ) {
    this.fields = fields.filter(({ element }) => element.place !== null);
    this.places = Int32Array.from(this.fields, ({ element: { place } }) => {
      const index = place?.index ?? 0;
      return place?.kind === 'text' ? ~index : index;
    });
  }

  /** The template of what a record knows; null when it knows nothing, undefined when there are too many templates. */
  of({ numbers, texts }: FlowRecord): Template | null | undefined {
    const { places, root } = this;
    const count = places.length;
    let node = root;
    let key = 0;
    for (let i = 0, bit = 0; i < count; i++, bit++) {
      if (bit === BITS) {
        node = child(node, key);
        key = 0;
        bit = 0;
      }
      const at = places[i] as number;
      if (at < 0 ? texts[~at] !== null : !Number.isNaN(numbers[at])) key |= 1 << bit;
    }
    const found = node.get(key);
    if (found instanceof Template) return found;
    return this.make(node, key, numbers, texts);
  }

  /** The collector knows none of them any more. */
  forgetAnnounced(): void {
    for (const template of this.all) template.isAnnounced = false;
  }

  private make(
    node: Node,
    key: number,
    numbers: Float64Array,
    texts: readonly (string | null)[],
  ): Template | null | undefined {
    const known = this.fields.filter((_, i) => {
      const at = this.places[i] ?? 0;
      return at < 0 ? texts[~at] !== null : !Number.isNaN(numbers[at]);
    });
    if (known.length === 0) return null;
    if (this.all.length >= this.most) return undefined;
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
