// What a client asks of the thread that has the engine: plain data, the same in a worker, across tabs and without either.

import type { ErrorData } from './errors.js';

/** Clients and hosts of different numbers do not talk to each other. */
export const PROTOCOL = 1;

/** Where a database is. */
export type Storage = 'opfs' | 'indexeddb' | 'memory' | 'node';

/** Which database, and how it is opened. */
export interface Place {
  /** A browser database's name, or a memory database's. */
  name?: string;
  /** A directory, where there is a filesystem. */
  dir?: string;
  storage?: Storage;
  /** Options of the engine, encoded. */
  options: Uint8Array;
  /** Whether it is made if it is not there. */
  create: boolean;
  /** How long to wait for who has it open, in milliseconds. */
  wait: number;
  wasmUrl?: string;
  wasmModule?: WebAssembly.Module;
}

/** What every call may say. */
interface Common {
  /** The transaction that it is part of. */
  tx?: number;
  /** The point at which statements that name none read; such a call writes nothing. */
  at?: string;
  /** Metadata of what it writes, encoded. */
  meta?: Uint8Array;
  /** How long it waits for others' writes, in milliseconds. */
  wait?: number;
}

/** A script and its parameters. */
export interface ScriptCall extends Common {
  op: 'script';
  text: string;
  values: Uint8Array;
  named: boolean;
}

/** An everyday operation on a table. */
export interface TableCall extends Common {
  op: 'table';
  what: 'insert' | 'upsert' | 'patch' | 'delete' | 'restore' | 'history' | 'diff';
  table: string;
  values: Uint8Array;
}

/** The row of a key. */
export interface GetCall extends Common {
  op: 'get';
  table: string;
  key: Uint8Array;
}

/** Everything is checked: rows of what is wrong. */
export interface VerifyCall extends Common {
  op: 'verify';
}

/** Event lines are taken. */
export interface LoadCall {
  op: 'load';
  lines: string;
  wait?: number;
}

/** How many events each table has in equal stretches of the history: one row. */
export interface TimelineCall {
  op: 'timeline';
  byTime: boolean;
  buckets: number;
}

/** Calls that answer with buffers, in steps. */
export type StepsCall = ScriptCall | TableCall | VerifyCall;

/** All calls. */
export type Call =
  | StepsCall
  | GetCall
  | { op: 'stats' }
  | { op: 'dump'; limit: number }
  | LoadCall
  | TimelineCall
  | { op: 'flush' }
  | { op: 'begin'; meta?: Uint8Array; wait?: number }
  | { op: 'commit'; tx: number }
  | { op: 'rollback'; tx: number }
  /** Opens a stream; its first buffer and those after it are asked for one by one. */
  | { op: 'stream'; call: StepsCall; bytes: number }
  | { op: 'more'; stream: number }
  | { op: 'cancel'; stream: number };

/** What calls answer. */
export type Answer = Uint8Array | Uint8Array[] | number | string | null | { bytes: Uint8Array | null; end: boolean };

/** From a client. */
export type Request =
  | { id: number; open: Place; protocol: number }
  | { id: number; call: Call }
  | { id: number; abort: true }
  | { id: number; close: true };

/** To a client. */
export type Reply =
  | { id: number; answer: Answer }
  | { id: number; opened: Opened }
  | { id: number; error: ErrorData };

/** What is known of a database that was opened. */
export interface Opened {
  storage: Storage;
  protocol: number;
}
