// Values on their way in: msgpack, which is what the engine stores. Integral numbers are integers; what JSON has no word for is an error with
// its path; members that are undefined are left out.

import { DriftError, type ErrorCode } from '../errors.js';

/** What a document, a patch or a parameter may be. */
export type Value = null | boolean | number | bigint | string | readonly Value[] | { readonly [name: string]: Value | undefined };

const MAX = 64;
const I64_MIN = -(2n ** 63n);
const U64_MAX = 2n ** 64n - 1n;
const encoder = new TextEncoder();

let bytes = new Uint8Array(4096);
let view = new DataView(bytes.buffer);
let at = 0;
/** The way to the value at hand, for errors only. */
const path: (string | number)[] = [];

function room(count: number): void {
  if (at + count <= bytes.length) return;
  const larger = new Uint8Array(Math.max(bytes.length * 2, at + count));
  larger.set(bytes.subarray(0, at));
  bytes = larger;
  view = new DataView(bytes.buffer);
}

function refuse(code: ErrorCode, what: string): never {
  let where = '';
  for (const step of path) {
    if (typeof step === 'number') where += `[${step}]`;
    else where += /^[A-Za-z_$][\w$]*$/.test(step) ? (where ? '.' : '') + step : `[${JSON.stringify(step)}]`;
  }
  const position = { path: where };
  throw new DriftError({ code, message: where ? `${where} is ${what}` : `the value is ${what}`, position });
}

function head(count: number, small: number, limit: number, wide: number): void {
  if (count < limit) bytes[at++] = small | count;
  else if (count < 0x10000) {
    bytes[at] = wide;
    view.setUint16(at + 1, count);
    at += 3;
  } else {
    bytes[at] = wide + 1;
    view.setUint32(at + 1, count);
    at += 5;
  }
}

/** Short texts are mostly ASCII: their bytes are their units. */
function string(text: string): void {
  const length = text.length;
  room(length * 3 + 5);
  if (length < 32) {
    const start = at++;
    let i = 0;
    for (; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      bytes[at++] = unit;
    }
    if (i === length) {
      bytes[start] = 0xa0 | length;
      return;
    }
    at = start;
  }
  // The head's size follows from the length, which is known after the text is written: it is moved if the guess was wrong.
  const guess = length < 32 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
  const written = encoder.encodeInto(text, bytes.subarray(at + guess)).written;
  const needed = written < 32 ? 1 : written < 0x100 ? 2 : written < 0x10000 ? 3 : 5;
  if (needed !== guess) bytes.copyWithin(at + needed, at + guess, at + guess + written);
  if (needed === 1) bytes[at] = 0xa0 | written;
  else if (needed === 2) {
    bytes[at] = 0xd9;
    bytes[at + 1] = written;
  } else if (needed === 3) {
    bytes[at] = 0xda;
    view.setUint16(at + 1, written);
  } else {
    bytes[at] = 0xdb;
    view.setUint32(at + 1, written);
  }
  at += needed + written;
}

function number(value: number): void {
  room(9);
  if (!Number.isFinite(value)) refuse('invalid_value', `${value}, which is no JSON number`);
  // Beyond 2^53 a number says no more which integer it is: it stays a double.
  if (!Number.isSafeInteger(value)) {
    bytes[at] = 0xcb;
    view.setFloat64(at + 1, value);
    at += 9;
  } else if (value >= 0) unsigned(value);
  else if (value >= -32) bytes[at++] = value & 0xff;
  else if (value >= -0x80) {
    bytes[at] = 0xd0;
    view.setInt8(at + 1, value);
    at += 2;
  } else if (value >= -0x8000) {
    bytes[at] = 0xd1;
    view.setInt16(at + 1, value);
    at += 3;
  } else if (value >= -0x80000000) {
    bytes[at] = 0xd2;
    view.setInt32(at + 1, value);
    at += 5;
  } else {
    bytes[at] = 0xd3;
    view.setBigInt64(at + 1, BigInt(value));
    at += 9;
  }
}

function unsigned(value: number): void {
  if (value < 0x80) bytes[at++] = value;
  else if (value < 0x100) {
    bytes[at] = 0xcc;
    bytes[at + 1] = value;
    at += 2;
  } else if (value < 0x10000) {
    bytes[at] = 0xcd;
    view.setUint16(at + 1, value);
    at += 3;
  } else if (value < 0x100000000) {
    bytes[at] = 0xce;
    view.setUint32(at + 1, value);
    at += 5;
  } else {
    bytes[at] = 0xcf;
    view.setBigUint64(at + 1, BigInt(value));
    at += 9;
  }
}

function big(value: bigint): void {
  if (value >= -9007199254740991n && value <= 9007199254740991n) return number(Number(value));
  if (value < I64_MIN || value > U64_MAX) refuse('out_of_range', `${value}, which is beyond the range of integers`);
  room(9);
  bytes[at] = value < 0n ? 0xd3 : 0xcf;
  view.setBigUint64(at + 1, BigInt.asUintN(64, value));
  at += 9;
}

function array(values: readonly unknown[], depth: number): void {
  room(5);
  head(values.length, 0x90, 16, 0xdc);
  const level = path.length;
  for (let i = 0; i < values.length; i++) {
    path[level] = i;
    value(values[i], depth);
  }
  path.length = level;
}

function object(members: Record<string, unknown>, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(members);
  if (prototype !== Object.prototype && prototype !== null && !(foreign(prototype))) {
    const name = (members.constructor as { name?: string } | undefined)?.name ?? 'an object of a class';
    refuse('invalid_value', `a ${name}, which is no plain object`);
  }
  const names = Object.keys(members);
  let count = names.length;
  for (let i = 0; i < names.length; i++) if (members[names[i]!] === undefined) count--;
  room(5);
  head(count, 0x80, 16, 0xde);
  const level = path.length;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const member = members[name];
    if (member === undefined) continue;
    string(name);
    path[level] = name;
    value(member, depth);
  }
  path.length = level;
}

/** A plain object of another realm, as of a frame or a vm context. */
function foreign(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.prototype.hasOwnProperty.call(prototype, 'isPrototypeOf');
}

function value(it: unknown, depth: number): void {
  switch (typeof it) {
    case 'string':
      return string(it);
    case 'number':
      return number(it);
    case 'boolean':
      room(1);
      bytes[at++] = it ? 0xc3 : 0xc2;
      return;
    case 'bigint':
      return big(it);
    case 'object':
      if (it === null) {
        room(1);
        bytes[at++] = 0xc0;
        return;
      }
      if (depth >= MAX) refuse('limit', `deeper than ${MAX} levels, or holds itself`);
      if (Array.isArray(it)) return array(it, depth + 1);
      if (it instanceof Date) refuse('invalid_value', 'a Date: store its toISOString() or getTime()');
      return object(it as Record<string, unknown>, depth + 1);
    case 'undefined':
      return refuse('invalid_value', 'undefined: write null');
    default:
      return refuse('invalid_value', `a ${typeof it}, which JSON does not have`);
  }
}

const NOTHING = new Uint8Array(0);

/** Encodes values one after another. `name` says what an error's path starts with, by their place. */
export function encodeAll(values: readonly unknown[], name?: string): Uint8Array {
  if (values.length === 0) return NOTHING;
  at = 0;
  path.length = 0;
  if (name !== undefined) path.push(name);
  const level = path.length;
  for (let i = 0; i < values.length; i++) {
    path[level] = i;
    value(values[i], 0);
    path.length = level;
  }
  return bytes.slice(0, at);
}

/** Encodes one value; nothing for undefined. */
export function encodeOne(it: unknown, name: string): Uint8Array {
  if (it === undefined) return NOTHING;
  at = 0;
  path.length = 0;
  path.push(name);
  value(it, 0);
  return bytes.slice(0, at);
}

/** The parameters of a script: an array for `?`, an object for `:name`. */
export type Params = readonly Value[] | { readonly [name: string]: Value };

/** Encodes parameters; `named` says which kind they are. */
export function encodeParams(params: Params | undefined): { values: Uint8Array; named: boolean } {
  if (params === undefined) return { values: NOTHING, named: false };
  if (Array.isArray(params)) return { values: encodeAll(params, 'params'), named: false };
  at = 0;
  path.length = 0;
  path.push('params');
  for (const [name, it] of Object.entries(params)) {
    string(name);
    path[1] = name;
    value(it, 0);
  }
  return { values: bytes.slice(0, at), named: true };
}
