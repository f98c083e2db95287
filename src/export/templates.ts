/** The templates of a session: one for each set of fields that some record had values for. */
import type { FlowRecord } from './record.js';
import { minimumLength, Template, VARIABLE, type Field } from './template.js';

/** Fields that one level of the tree stands for: bits of a small integer. */
const BITS = 30;

/** By the fields that are known; each level of the tree stands for some of them. */
type Node = Map<number, Node | Template>;

/** A character, and the zero that ends it. */
const SHORTEST_TEXT = 2;

export class Templates {
  private readonly root: Node = new Map();
  /** In the order of their ids. */
  readonly all: Template[] = [];
  /** Of the fields that something measures: the index of a number, or the complement of that of a text. */
  private readonly places: Int32Array;
  private readonly fields: readonly Field[];
  /** Octets of the largest record. */
  private room = Infinity;

  constructor(
    fields: readonly Field[],
    private nextId: number,
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

  /** The collector knows none of them any more. No record may be larger than `room` octets from now on. */
  begin(room: number): void {
    this.room = room;
    for (const template of this.all) template.isAnnounced = false;
    if (this.all.every(({ minimumLength }) => minimumLength <= room)) return;
    this.root.clear();
    this.all.length = 0;
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
    const template = new Template(this.nextId++, fitting(known, this.room));
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

/** The fields of a record that is not larger than `room`: the longest fixed texts are shortened, as far as it helps. */
function fitting(fields: readonly Field[], room: number): readonly Field[] {
  for (let longest = Math.max(...fields.map(textLength)); longest >= SHORTEST_TEXT; longest--) {
    const shortened = fields.map((field) => (textLength(field) > longest ? { ...field, length: longest } : field));
    if (minimumLength(shortened) <= room) return shortened;
  }
  return fields;
}

/** 0 for what is no fixed text. */
function textLength({ element, length }: Field): number {
  return element.dataType === 'string' && length !== VARIABLE ? length : 0;
}
