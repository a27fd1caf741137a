// The engine in this thread: one wasm instance, one open database. Every call here is synchronous.

import { DriftError, type ErrorData, fail } from '../errors.js';
import type { Asked, GetCall, ScriptCall, StepsCall } from '../protocol.js';
import { encodeAll } from '../wire/encode.js';
import { type Changes, Engine, type Instance } from '../generated/glue.js';

const NOTHING = new Uint8Array(0);
/** Scripts that are kept for the next time their text comes. */
const SCRIPTS_MAX = 200;

/** What a script does. */
export interface Script {
  readonly number: number;
  readonly writes: boolean;
  readonly controls: boolean;
  readonly broken: boolean;
}

/** How far a run is. */
export const enum Progress {
  More = 0,
  Full = 1,
  End = 2,
}

/** An open database. */
export class Core {
  readonly #memory: WebAssembly.Memory;
  readonly #engine: Engine;
  readonly #scripts = new Map<string, Script>();
  /** Set when the engine stopped in mid-call: nothing in its memory can be trusted any more. */
  crashed = false;
  #closed = false;

  readonly #release: () => void;

  /** `open` calls one of the engine's functions that open; `release` gives up what it was opened on, when it is closed or has stopped. */
  constructor(instance: Instance, open: (engine: typeof Engine) => Engine, release: () => void = () => {}) {
    this.#memory = instance.memory;
    this.#release = release;
    try {
      this.#engine = this.#call(() => open(instance.Engine));
    } catch (error) {
      if (!this.crashed) release();
      throw error;
    }
  }

  /** Bytes of memory that the instance has. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Calls the engine; its errors come as DriftErrors. */
  #call<T>(action: () => T, evenClosed = false): T {
    if (this.#closed && !evenClosed) throw fail('closed', 'the database is closed');
    if (this.crashed) throw fail('crashed', 'the engine has stopped; open the database anew');
    try {
      return action();
    } catch (error) {
      if (typeof error === 'string') throw new DriftError(JSON.parse(error) as ErrorData);
      if (error instanceof DriftError) throw error;
      this.crashed = true;
      this.#release();
      const message = `the engine stopped in mid-call: ${error instanceof Error ? error.message : String(error)}`;
      throw new DriftError({ code: 'crashed', message }, { cause: error });
    }
  }

  /** The answer's bytes, in the engine's memory: they are there until the next call. */
  #answer(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#engine.outPtr(), this.#engine.outLen());
  }

  /** Reads a script, or finds it among those read before. */
  script(text: string): Script {
    let script = this.#scripts.get(text);
    if (script === undefined) {
      script = this.#call(() => {
        const number = this.#engine.prepare(text);
        const effects = this.#engine.effects(number);
        return { number, writes: (effects & 1) !== 0, controls: (effects & 2) !== 0, broken: (effects & 4) !== 0 };
      });
      if (this.#scripts.size >= SCRIPTS_MAX) this.#forgetOldest();
    } else this.#scripts.delete(text);
    this.#scripts.set(text, script);
    return script;
  }

  #forgetOldest(): void {
    for (const [text, script] of this.#scripts) {
      this.#scripts.delete(text);
      this.#call(() => this.#engine.forget(script.number));
      return;
    }
  }

  /** Whether a call writes. */
  writes(call: StepsCall): boolean {
    switch (call.op) {
      case 'script':
        return this.script(call.text).writes;
      case 'table':
        return call.what !== 'history' && call.what !== 'diff';
      case 'verify':
      case 'export':
        return false;
    }
  }

  /** Begins a call; the number of its run. `at` is the point at which what names none reads. */
  start(call: StepsCall, at: string | undefined): number {
    const meta = call.meta ?? NOTHING;
    switch (call.op) {
      case 'script': {
        const script = this.script(call.text);
        return this.#call(() => this.#engine.start(script.number, call.values, call.named, at, meta, encoded(call.asked)));
      }
      case 'table':
        return this.#call(() => this.#engine.startTable(call.what, call.table, call.values, at, meta, encoded(call.asked)));
      case 'verify':
        return this.#call(() => this.#engine.startVerify());
      case 'export':
        return this.#call(() => this.#engine.startExport());
    }
  }

  /** Begins to tell the events after a seq; the number of the run. */
  startChanges(after: number): number {
    return this.#call(() => this.#engine.startChanges(after));
  }

  /** Watches what a script reads, for `touched`; the number of the watch. */
  watch(call: ScriptCall): number {
    const script = this.script(call.text);
    return this.#call(() => this.#engine.watch(script.number, call.values, call.named, call.at));
  }

  unwatch(watch: number): void {
    if (!this.crashed && !this.#closed) this.#call(() => this.#engine.unwatch(watch));
  }

  /** The watches that what was committed since the last call concerns. */
  touched(): Uint32Array {
    return this.#call(() => this.#engine.touched());
  }

  /** Of the buffer taken last: the same for the same rows, whenever they are read. Goes on from that of the buffer before. */
  digest(before: bigint): bigint {
    return this.#call(() => this.#engine.digest(before));
  }

  /** Goes on with a run: about so many rows' work, until its answer has about so many bytes. A run that fails is over. */
  step(run: number, steps: number, bytes: number): Progress {
    return this.#call(() => this.#engine.step(run, steps, bytes, Date.now()));
  }

  /** What a run has answered since the last time; in the engine's memory until the next call. */
  take(run: number): Uint8Array {
    this.#call(() => this.#engine.take(run));
    return this.#answer();
  }

  /** Ends a run. */
  end(run: number): void {
    if (!this.crashed && !this.#closed) this.#call(() => this.#engine.end(run));
  }

  get(call: GetCall, at: string | undefined): Uint8Array {
    this.#call(() => this.#engine.get(call.table, call.key, at));
    return this.#answer();
  }

  stats(): Uint8Array {
    this.#call(() => this.#engine.stats());
    return this.#answer();
  }

  dump(limit: number): string {
    return this.#call(() => this.#engine.dump(limit));
  }

  load(lines: string): Uint8Array {
    this.#call(() => this.#engine.load(lines, Date.now()));
    return this.#answer();
  }

  timeline(byTime: boolean, buckets: number): Uint8Array {
    this.#call(() => this.#engine.timeline(byTime, buckets));
    return this.#answer();
  }

  /** Begins to import a file into the database, which is empty. */
  beginImport(): void {
    this.#import(() => this.#engine.beginImport(Date.now()));
  }

  /** Takes the bytes of the file that come next. An error ends the import: the database is empty again. */
  pushImport(bytes: Uint8Array): void {
    this.#import(() => this.#engine.pushImport(bytes, Date.now()));
  }

  /** Ends the import: the last event of the file. */
  finishImport(): Uint8Array {
    this.#import(() => this.#engine.finishImport(Date.now()));
    return this.#answer();
  }

  /** Gives the import up, if there is one: the database is empty again. */
  cancelImport(): void {
    if (!this.crashed && !this.#closed) this.#import(() => this.#engine.cancelImport(Date.now()));
  }

  /** The engine opens the database anew in each of these: nothing of what was kept of it holds, and if that fails there is no database. */
  #import(action: () => void): void {
    this.#scripts.clear();
    try {
      this.#call(action);
    } catch (error) {
      if (!this.crashed && !this.#call(() => this.#engine.isOpen())) this.abandon();
      throw error;
    }
  }

  begin(meta: Uint8Array | undefined, asked?: Asked): void {
    this.#call(() => this.#engine.begin(meta ?? NOTHING, encoded(asked)));
  }

  /** What the transaction wrote that was begun under a number, if it was committed. */
  answered(asked: Asked): Uint8Array | undefined {
    return this.#call(() => this.#engine.answered(encoded(asked))) ? this.#answer() : undefined;
  }

  commit(): Uint8Array {
    this.#call(() => this.#engine.commit(Date.now()));
    return this.#answer();
  }

  rollback(): void {
    if (!this.crashed) this.#call(() => this.#engine.rollback());
  }

  get inTransaction(): boolean {
    return this.#call(() => this.#engine.inTransaction());
  }

  /** The seq of the last committed event. */
  get head(): number {
    return this.#call(() => Number(this.#engine.head()));
  }

  /** The point that sees all that is committed and nothing of an open transaction. */
  get committed(): string {
    return this.#call(() => `@seq:${this.#engine.head()}`);
  }

  flush(): void {
    this.#call(() => this.#engine.flush());
  }

  /** Does some maintenance that is due; whether some is left. */
  maintain(steps: number): boolean {
    return this.#call(() => this.#engine.maintain(steps));
  }

  /** What has changed since the last call and is to be stored by the caller, where the storage is one that only promises to; after closing, too. */
  drain(): Changes | undefined {
    return this.#call(() => this.#engine.drain(), true);
  }

  /** Says that what was drained is stored up to this position. */
  settled(position: number): void {
    this.#call(() => this.#engine.settled(position), true);
  }

  /** Gives the engine up: what it has in memory cannot be kept. */
  abandon(): void {
    if (this.crashed || this.#closed) return;
    this.crashed = true;
    this.#release();
  }

  /** Stops the engine as a fault in it would. For tests. */
  stop(): void {
    try {
      this.#call(() => this.#engine.stop());
    } catch {
      // That was the intention.
    }
  }

  /** Closes the database and frees its memory with the instance. */
  close(): void {
    if (this.crashed || this.#closed) return;
    try {
      this.#call(() => this.#engine.close());
    } finally {
      this.#closed = true;
      if (!this.crashed) this.#release();
    }
  }
}

function encoded(asked: Asked | undefined): Uint8Array {
  return asked === undefined ? NOTHING : encodeAll([asked.client, asked.number, asked.again], 'asked');
}
