// Answers on their way out: the buffer that wasm/src/wire/output.rs writes and describes, read into plain objects when somebody looks.

import { fail } from '../errors.js';

/** How integers come out: as numbers up to 2^53 and BigInt beyond; always as BigInt; always as numbers, an error where that is inexact. */
export type Integers = 'auto' | 'bigint' | 'number';

const pair = new Uint32Array(2);
const asFloat = new Float64Array(pair.buffer);
const asI64 = new BigInt64Array(pair.buffer);
const asU64 = new BigUint64Array(pair.buffer);
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

interface Shape {
  names: string[];
  /** An object with all names, which is copied: copies share one hidden class. */
  blank: Record<string, unknown>;
  /** Whether a name must be defined, as setting it would set a prototype. */
  odd: boolean;
}

/** Lists of shapes by their text: most answers of a program have the same few. */
const known = new Map<string, { lengths: Uint32Array; shapes: Shape[] }>();
const KNOWN_MAX = 256;

function readShapes(words: Uint32Array, at: number, names: string): Shape[] {
  const count = words[at++]!;
  if (count === 0) return [];
  let end = at;
  for (let i = 0; i < count; i++) end += 1 + words[end]!;
  const found = known.get(names);
  if (found !== undefined && found.lengths.length === end - at && found.lengths.every((length, i) => length === words[at + i])) {
    return found.shapes;
  }
  const lengths = words.slice(at, end);
  const shapes: Shape[] = [];
  let start = 0;
  while (at < end) {
    const shape: Shape = { names: [], blank: {}, odd: false };
    for (let left = words[at++]!; left > 0; left--) {
      const length = words[at++]!;
      const name = names.slice(start, (start += length));
      shape.names.push(name);
      if (name === '__proto__') shape.odd = true;
      else shape.blank[name] = null;
    }
    shapes.push(shape);
  }
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(names, { lengths, shapes });
  return shapes;
}

/** One buffer of an answer. */
export class Batch {
  readonly kind: 'rows' | 'written' | 'done';
  /** The seq that the answer holds for. */
  readonly seq: number;
  /** The time of that, in unix milliseconds. */
  readonly time: number;
  /** How many events were written. */
  readonly events: number;
  /** How many rows there are. */
  readonly length: number;
  readonly columns: readonly string[] | null;
  readonly #words: Uint32Array;
  readonly #integers: Integers;
  readonly #text: string;
  readonly #shapes: Shape[];
  #at = 0;
  #unit = 0;

  /** The buffer must stay as it is only while this runs if `copy` is true. */
  constructor(bytes: Uint8Array, integers: Integers, copy: boolean) {
    const count = bytes.byteLength >>> 2;
    const aligned = (bytes.byteOffset & 3) === 0 ? bytes : bytes.slice();
    const all = new Uint32Array(aligned.buffer, aligned.byteOffset, count);
    if (all[0] !== 1) throw fail('protocol', 'an answer that this version cannot read');
    const text = all[12]!;
    this.kind = all[1] === 0 ? 'rows' : all[1] === 1 ? 'written' : 'done';
    this.seq = all[3]! + all[4]! * 0x100000000;
    this.time = all[5]! + all[6]! * 0x100000000;
    this.events = all[7]! + all[8]! * 0x100000000;
    this.length = all[9]!;
    this.#text = decoder.decode(bytes.subarray(text));
    this.#shapes = readShapes(all, all[11]!, this.#text.slice(all[13]));
    this.columns = (all[2]! & 1) === 1 ? this.#shapes[0]!.names : null;
    this.#words = copy ? all.slice(0, text >>> 2) : all;
    this.#integers = integers;
  }

  /** A row, by its place. */
  row(index: number): unknown {
    const place = this.#words[10]! + index * 2;
    this.#at = this.#words[place]!;
    this.#unit = this.#words[place + 1]!;
    return this.#value();
  }

  /** Appends all rows. */
  rows(into: unknown[]): void {
    this.#at = 14;
    this.#unit = 0;
    for (let i = 0; i < this.length; i++) into.push(this.#value());
  }

  #value(): unknown {
    const words = this.#words;
    const word = words[this.#at++]!;
    switch (word & 15) {
      case 0:
        return null;
      case 1:
        return false;
      case 2:
        return true;
      case 3:
        return this.#integers === 'bigint' ? BigInt((word | 0) >> 4) : (word | 0) >> 4;
      case 8:
        return this.#text.substring(this.#unit, (this.#unit += word >>> 4));
      case 9: {
        const array: unknown[] = [];
        for (let left = word >>> 4; left > 0; left--) array.push(this.#value());
        return array;
      }
      case 10:
        return this.#object(this.#shapes[word >>> 4]!);
      default:
        pair[0] = words[this.#at]!;
        pair[1] = words[this.#at + 1]!;
        this.#at += 2;
        return this.#wide(word & 15);
    }
  }

  #object(shape: Shape): Record<string, unknown> {
    const { names, blank, odd } = shape;
    const object = odd ? {} : { ...blank };
    for (let i = 0; i < names.length; i++) {
      const value = this.#value();
      const name = names[i]!;
      if (odd && name === '__proto__') {
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      } else object[name] = value;
    }
    return object;
  }

  #wide(tag: number): unknown {
    if (tag === 5) return asFloat[0]!;
    if (tag === 4) return this.#integers === 'bigint' ? BigInt(asFloat[0]!) : asFloat[0]!;
    const exact = tag === 6 ? asI64[0]! : asU64[0]!;
    if (this.#integers !== 'number') return exact;
    throw fail('out_of_range', `the integer ${exact} is no exact number`, "open with integers: 'auto' or 'bigint'");
  }
}
