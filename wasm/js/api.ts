// Types of the public API that both flavours share.

import type { DriftError, ErrorData } from './errors.js';
import type { Point } from './point.js';
import type { QueryResult } from './wire/answer.js';
import type { Integers } from './wire/decode.js';

/** What `open` takes besides a name or a directory. */
export interface OpenOptions {
  /** A browser database's name. */
  name?: string;
  /** A directory, in Node, Deno and Bun. */
  dir?: string;
  /** Where the database is kept. By default OPFS, else IndexedDB, in a browser; the directory elsewhere. 'memory' lasts as long as the handle. */
  storage?: 'auto' | 'opfs' | 'indexeddb' | 'memory' | 'node';
  /** 'commit', the default: a write that has returned is on stable storage. 'batch': it is after the next flush(); a crash keeps a prefix. */
  durability?: 'commit' | 'batch';
  /** How long a write waits for another's transaction, in milliseconds. 5,000 by default. */
  busyTimeout?: number;
  /** How integers come out. */
  integers?: Integers;
  /** Only reads; another program may be writing. */
  readOnly?: boolean;
  /** Makes the database if there is none, the default. */
  create?: boolean;
  /** Bytes of index and snapshot blocks that are kept in memory. */
  cacheBytes?: number;
  /** A snapshot of a table is written after so many of its events; fewer make moments of the past quicker to read. 100,000 by default. */
  snapshotEvents?: number;
  /** So many events of a table are held in memory before an index run is written of them. */
  memtableEvents?: number;
  /** Where the wasm module is, if not beside this one. */
  wasmUrl?: string | URL;
  /** The wasm module itself. */
  wasmModule?: WebAssembly.Module;
}

/** An event in the history of a row. */
export interface HistoryRow<Row> {
  seq: number;
  time: string;
  event: 'INSERT' | 'PATCH' | 'SOFT_DELETE';
  by: unknown;
  why: unknown;
  meta: Record<string, unknown> | null;
  /** Path to [old, new]. */
  changed: Record<string, [unknown, unknown]>;
  row: Row | null;
}

/** A query that is asked again whenever its answer may be another one. */
export interface Live {
  /** Ends it; the callback is not called any more. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Takes a live query's answers. */
export type LiveCallback<Row> = (result: QueryResult<Row>) => void;

/** How a query is live. */
export interface LiveOptions {
  /** The point as of which it is asked. */
  asOf?: Point;
  /** Called when the query fails; it may succeed later. Otherwise errors go to the console. */
  onError?(error: DriftError): void;
}

/** What was committed together. */
export interface Commit {
  /** The seq of its last event. */
  seq: number;
  time: string;
  by: unknown;
  why: unknown;
  meta: Record<string, unknown> | null;
  /** In the order of their seqs. */
  events: CommitEvent[];
}

/** An event of a commit. */
export interface CommitEvent {
  seq: number;
  table: string;
  key: string | number | bigint;
  event: 'INSERT' | 'PATCH' | 'SOFT_DELETE';
  /** The whole row, of an INSERT; what replaces a row or restores it is one too. */
  row?: Record<string, unknown>;
  /** What was merged into the row, of a PATCH. */
  patch?: Record<string, unknown>;
}

/** A row that differs between two points. */
export interface DiffRow {
  key: string | number | bigint;
  change: 'added' | 'removed' | 'changed';
  changed: Record<string, [unknown, unknown]>;
}

/** What a verification found. */
export interface Verification {
  /** Whether everything is as it should be. */
  ok: boolean;
  /** How many events were checked. */
  events: number;
  /** What is wrong. */
  findings: { table: string; message: string }[];
}

/** What is known of a database without reading rows. */
export interface Stats {
  /** The last event's seq; 0 if there is none. */
  seq: number;
  time: number;
  /** Bytes of an unfinished last append that opening cut, by table: nothing that was acknowledged. */
  torn: Record<string, number>;
  /** Bytes of committed transactions that opening put back, by table. */
  restored: Record<string, number>;
  /** Each table as DESCRIBE tells it. */
  tables: TableStats[];
  /** Bytes of the engine's memory. */
  memoryBytes: number;
}

/** A table as DESCRIBE tells it. */
export interface TableStats {
  table: string;
  primary_key: string;
  indexes: string[];
  events: number;
  first_seq: number | null;
  first_time: string | null;
  last_seq: number | null;
  last_time: string | null;
  horizon_seq: number | null;
  horizon_time: string | null;
  segments: number;
  log_bytes: number;
  index_runs: number;
  snapshots: number[];
  replayed_events: number;
}

/** A file to import: whole, or as it comes in. */
export type ImportSource = Blob | Uint8Array | ArrayBuffer | Iterable<Uint8Array> | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** What was imported: everything up to its last event. */
export interface Imported {
  seq: number;
  time: number;
}

/** How a timeline is divided. */
export interface TimelineOptions {
  /** Into how many stretches: 1 to 10,000, by default 100. */
  buckets?: number;
  /** What they are equal in: seqs, the default, or time. */
  axis?: 'seq' | 'time';
}

/** Events by stretch of the history and table. */
export interface Timeline {
  /** The seq or unix millisecond before the first event; that of the last event. */
  from: number;
  to: number;
  /** All stretches, the oldest first. What COMPACT dropped is not counted. */
  buckets: TimelineBucket[];
}

/** A stretch of the history: what came after `start`, up to and with `end`. */
export interface TimelineBucket {
  start: number;
  end: number;
  /** How many events it has, by table; tables without any are left out. */
  tables: Record<string, number>;
}

export type { ErrorData };
