// The one error type: a stable code, a message, where, what to try, and whether trying again can help.

/** The codes of the engine (docs/DRIFTQL.md) and of this package. They are stable. */
export type ErrorCode =
  | 'syntax' | 'unknown_table' | 'table_exists' | 'unknown_name' | 'duplicate_key' | 'no_such_row' | 'invalid_key'
  | 'invalid_value' | 'out_of_range' | 'limit' | 'invalid_point' | 'before_horizon' | 'parameter' | 'transaction'
  | 'invalid_input' | 'not_a_database' | 'database_exists' | 'newer_format' | 'busy' | 'read_only' | 'corrupt'
  | 'storage_full' | 'permission_denied' | 'file_missing' | 'io' | 'latched' | 'conflict' | 'unsupported'
  /** The handle, or the transaction, is closed. */
  | 'closed'
  /** No durable storage can be had here, and memory was not asked for. */
  | 'no_storage'
  /** The engine stopped in mid-call. The database is opened anew; what was acknowledged is there. */
  | 'crashed'
  /** Another version of this package holds the database, or the worker does not answer as one of this version. */
  | 'protocol';

/** Where an error is. */
export interface Position {
  /** In a script: UTF-16 units from its start. */
  start?: number;
  end?: number;
  /** In a script or an input, counted from 1; the column in characters. */
  line?: number;
  column?: number;
  /** In a file of the database. */
  file?: string;
  offset?: number;
  /** In a value from JavaScript: `[0].tags[2]`. */
  path?: string;
}

/** An error as data, as it crosses between threads. */
export interface ErrorData {
  code: ErrorCode;
  message: string;
  hint?: string;
  position?: Position;
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['busy', 'latched', 'crashed']);

/** What DriftDB throws. */
export class DriftError extends Error {
  static {
    // The minified class would show its short name.
    Object.defineProperty(this, 'name', { value: 'DriftError' });
  }
  override readonly name = 'DriftError';
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** What to try, if something is likely. */
  declare readonly hint?: string;
  /** Where. */
  declare readonly position?: Position;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;

  constructor(data: ErrorData, options?: ErrorOptions) {
    super(data.message, options);
    this.code = data.code;
    if (data.hint !== undefined) this.hint = data.hint;
    if (data.position !== undefined) this.position = data.position;
    this.retryable = RETRYABLE.has(data.code);
  }
}

/** Makes an error. */
export function fail(code: ErrorCode, message: string, hint?: string): DriftError {
  return new DriftError(hint === undefined ? { code, message } : { code, message, hint });
}

/** An error as data. What is no DriftError is the engine's end or a fault of this package: it keeps its message. */
export function toData(error: unknown): ErrorData {
  if (error instanceof DriftError) {
    const { code, message, hint, position } = error;
    return { code, message, ...(hint !== undefined && { hint }), ...(position !== undefined && { position }) };
  }
  return { code: 'crashed', message: error instanceof Error ? error.message : String(error) };
}
