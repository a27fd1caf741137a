// The package's front door: the asynchronous API over a worker. Importing it touches nothing of the platform.

export type * from './api.js';
export type { Document, Key, Metadata } from './calls.js';
export { Database } from './client/database.js';
export { databases, deleteDatabase } from './client/names.js';
export type { Migration } from './client/migrate.js';
export { type PageOptions, open } from './client/open.js';
export type { WorkerSource } from './client/spawn.js';
export { DriftError, type ErrorCode, type Position } from './errors.js';
export { Prepared, Reader, type Tag, Transaction, Writer } from './handles/reader.js';
export { Table } from './handles/table.js';
export type { Abortable, Answer, Options, Series, Unabortable, Way } from './handles/way.js';
export type { Point } from './point.js';
export type { Storage } from './protocol.js';
export { QueryResult, type Written } from './wire/answer.js';
export type { Integers } from './wire/decode.js';
export type { Params, Value } from './wire/encode.js';
