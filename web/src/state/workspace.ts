// What is open: a database, the moment, and the results of the last run.

import { DriftError } from 'driftdb';
import { Signal } from '../base/signal';
import type { Session } from '../engine/session';
import { type Statement, reads, statements, steps } from '../language/statement';
import { Moment } from './moment';
import { Result } from './result';

/** What came of a statement that gives no rows, or of one that failed. */
export interface Note {
  readonly statement: Statement;
  readonly text: string;
  readonly took: number;
  readonly error?: DriftError;
}

/** What a run left on the page. */
export type Outcome = { readonly kind: 'result'; readonly result: Result } | { readonly kind: 'note'; readonly note: Note };

/** What is open. */
export class Workspace {
  readonly moment = new Moment();
  readonly session: Signal<Session>;
  readonly outcomes = new Signal<readonly Outcome[]>([]);
  readonly running = new Signal(false);
  /** The error of the last run, and how far the text that was run lies behind the editor's start. */
  readonly mistake = new Signal<{ error: DriftError; offset: number } | undefined>(undefined);

  constructor(session: Session) {
    this.session = new Signal(session);
    let end = (): void => {};
    this.session.now((one) => {
      end();
      end = one.others.watch(() => void this.renew());
    });
  }

  /** The results that are open. */
  get results(): Result[] {
    return this.outcomes.value.flatMap((one) => (one.kind === 'result' ? [one.result] : []));
  }

  /** Opens another database in place of this one. */
  async open(session: Session): Promise<void> {
    const before = this.session.value;
    this.show([]);
    this.moment.reset();
    this.session.value = session;
    if (before !== session) await before.close().catch(() => {});
  }

  /** Replaces what is on the page. */
  show(outcomes: readonly Outcome[]): void {
    const kept = new Set(outcomes.map((one) => (one.kind === 'result' ? one.result : undefined)));
    for (const result of this.results) if (!kept.has(result)) result.close();
    this.outcomes.value = outcomes;
  }

  /** Runs a script statement by statement and shows what comes of it; stops at the first error. */
  async run(script: string, offset = 0): Promise<{ ok: boolean; took: number }> {
    const started = performance.now();
    this.running.value = true;
    this.mistake.value = undefined;
    const outcomes: Outcome[] = [];
    try {
      for (const step of steps(statements(script))) {
        const outcome = await this.#step(script, step);
        outcomes.push(outcome);
        if (outcome.kind === 'result' && outcome.result.error.value !== undefined) throw outcome.result.error.value;
      }
      return { ok: true, took: performance.now() - started };
    } catch (error) {
      if (!(error instanceof DriftError)) throw error;
      this.mistake.value = { error, offset };
      return { ok: false, took: performance.now() - started };
    } finally {
      this.show(outcomes);
      this.running.value = false;
    }
  }

  /** Errors of what is being typed, at their places: SELECTs are asked how they would run. */
  async check(script: string): Promise<DriftError[]> {
    const errors: DriftError[] = [];
    for (const one of statements(script)) {
      if (one.act !== 'select') continue;
      try {
        await this.session.value.db.query(`EXPLAIN ${one.text}`);
      } catch (error) {
        if (error instanceof DriftError && error.position?.start !== undefined && error.code !== 'parameter') errors.push(at(error, one.from - 'EXPLAIN '.length));
      }
    }
    return errors;
  }

  /** The data have changed: everything that is open looks again. */
  async changed(): Promise<void> {
    await this.session.value.refresh();
    await this.renew();
  }

  /** Everything that is open looks again. */
  async renew(): Promise<void> {
    await Promise.all(this.results.map((result) => result.renew()));
  }

  async #step(script: string, step: readonly Statement[]): Promise<Outcome> {
    const first = step[0]!;
    const statement = step.length === 1 ? first : { ...first, to: step.at(-1)!.to, text: script.slice(first.from, step.at(-1)!.to) };
    if (step.length === 1 && reads(first)) {
      const result = new Result(first, this.session.value, this.moment);
      await result.follow();
      if (result.error.value !== undefined) throw at(result.error.value, first.from);
      return { kind: 'result', result };
    }
    const started = performance.now();
    try {
      const { events, seq } = await this.session.value.db.exec(statement.text);
      const took = performance.now() - started;
      await this.changed();
      if (events > 0) this.moment.at.value = 'now';
      return { kind: 'note', note: { statement, took, text: events === 0 ? 'done' : `${events} ${events === 1 ? 'event' : 'events'} written, up to @seq:${seq}` } };
    } catch (error) {
      throw error instanceof DriftError ? at(error, statement.from) : error;
    }
  }
}

/** The error with its place counted from the script's start instead of the statement's. */
function at(error: DriftError, from: number): DriftError {
  const { code, message, hint, position } = error;
  if (position?.start === undefined) return error;
  const moved = { ...position, start: position.start + from, end: (position.end ?? position.start) + from };
  return new DriftError({ code, message, ...(hint !== undefined && { hint }), position: moved });
}
