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
  /** Whether a write that has returned is on stable storage. */
  durable: boolean;
  /** Whether other tabs may have it open too. */
  shared?: boolean;
  /** Whether tabs agree on who opens it, those of OPFS among themselves and those of IndexedDB. */
  grouped?: boolean;
  /** Whether it is in IndexedDB as nobody has said where, and it is not in OPFS. */
  fallen?: boolean;
  /** Whether the page is seen. */
  visible?: boolean;
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
  /** Under which number it is asked for, if it may be asked for twice. */
  asked?: Asked;
}

/** Who asks for a write, and for which one: what was done under a number is answered and not done again. */
export interface Asked {
  client: string;
  /** Greater than that of the client's write before, which was answered. */
  number: number;
  /** Whether it may have been done. */
  again: boolean;
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
  /** `migrate`: a record for the table, and a script that is run along with it. */
  what: 'insert' | 'upsert' | 'patch' | 'delete' | 'restore' | 'history' | 'diff' | 'migrate';
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

/** The whole database as the bytes of a file. */
export interface ExportCall extends Common {
  op: 'export';
}

/** Calls that answer with buffers, in steps. */
export type StepsCall = ScriptCall | TableCall | VerifyCall | ExportCall;

/** All calls. */
export type Call =
  | StepsCall
  | GetCall
  | { op: 'stats' }
  | { op: 'dump'; limit: number }
  | LoadCall
  | TimelineCall
  | { op: 'flush' }
  | { op: 'begin'; meta?: Uint8Array; wait?: number; asked?: Asked }
  /** `asked` is that of the transaction's begin. */
  | { op: 'commit'; tx: number; asked?: Asked }
  | { op: 'rollback'; tx: number }
  /** Opens a feed of an answer's rows, a piece at a time. What a feed has is asked for piece by piece. */
  | { op: 'stream'; call: StepsCall; bytes: number }
  /** Opens a feed of a query's answers: a piece each time that it is not the one with the mark that was seen last. */
  | { op: 'live'; call: ScriptCall; seen?: bigint }
  /** Opens a feed of the events after a seq, by default from now on. */
  | { op: 'changes'; since?: number }
  | { op: 'more'; feed: number }
  | { op: 'cancel'; feed: number }
  /** Begins an import; its bytes and its end follow. Whoever writes waits until then. */
  | { op: 'import'; wait?: number }
  | { op: 'importBytes'; import: number; bytes: Uint8Array }
  | { op: 'importEnd'; import: number; whole: boolean };

/** A piece of a feed. */
export interface Piece {
  buffers: Uint8Array[];
  /** Whether it is the last one. */
  end: boolean;
  /** Of a query's answer: equal answers have equal marks. */
  mark?: bigint;
  /** In place of an answer, where the query has failed. */
  error?: ErrorData;
}

/** What calls answer. */
export type Answer = Uint8Array | Uint8Array[] | number | string | null | Piece;

/** From a client. */
export type Request =
  | { id: number; open: Place; protocol: number }
  | { id: number; call: Call }
  | { id: number; abort: true }
  /** Says whether the page is seen; not answered. */
  | { id: number; visible: boolean }
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
