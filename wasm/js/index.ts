// The package's front door: the asynchronous API over a worker. Importing it touches nothing of the platform.

export type * from './api.js';
export type { Document, Key, Metadata } from './calls.js';
export { Database } from './client/database.js';
export { Prepared, Reader, Transaction, Writer } from './client/handles.js';
export type { Abortable } from './client/link.js';
export type { Live, LiveOptions } from './client/live.js';
export { databases, deleteDatabase } from './client/names.js';
export type { Migration } from './client/migrate.js';
export { type PageOptions, open } from './client/open.js';
export type { WorkerSource } from './client/spawn.js';
export { Table } from './client/table.js';
export { DriftError, type ErrorCode, type Position } from './errors.js';
export type { Point } from './point.js';
export type { Storage } from './protocol.js';
export { QueryResult, type Written } from './wire/answer.js';
export type { Integers } from './wire/decode.js';
export type { Params, Value } from './wire/encode.js';
