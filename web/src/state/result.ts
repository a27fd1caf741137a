// One statement whose answer is on the page: it follows the moment.

import { DriftError } from 'driftdb';
import { Latest } from '../base/latest';
import { Signal } from '../base/signal';
import type { Session } from '../engine/session';
import { type Statement, travels } from '../language/statement';
import { Answer } from './answer';
import { type Identity, type Row, identityOf } from './identity';
import { type At, Moment } from './moment';

/** What is to be seen: the rows at the moment, and those they are compared with. */
export interface Shown {
  readonly answer: Answer;
  readonly reference: Answer | undefined;
}

/** A statement whose answer is on the page. */
export class Result {
  readonly statement: Statement;
  readonly session: Session;
  readonly identity: Identity;
  readonly shown = new Signal<Shown | undefined>(undefined);
  readonly error = new Signal<DriftError | undefined>(undefined);
  readonly #moment: Moment;
  readonly #latest = new Latest<{ at: At; pin: At }>((request) => this.#read(request));
  #reference: Answer | undefined;
  readonly #ends: (() => void)[];

  constructor(statement: Statement, session: Session, moment: Moment) {
    this.statement = statement;
    this.session = session;
    this.#moment = moment;
    this.identity = identityOf(statement, session.catalogue.value.find((table) => table.name === statement.table));
    const follow = (): unknown => this.follow();
    this.#ends = travels(statement) ? [moment.at.watch(follow), moment.pin.watch(follow)] : [];
  }

  /** Whether it follows the slider. */
  get travels(): boolean {
    return travels(this.statement);
  }

  /** Reads at the moment as it is now; the latest one wins. */
  follow(): Promise<void> {
    return this.#latest.ask({ at: this.#moment.at.value, pin: this.#moment.pin.value });
  }

  /** The data have changed: what was compared with is out of date. */
  renew(): Promise<void> {
    this.#reference = undefined;
    return this.follow();
  }

  async #read({ at, pin }: { at: At; pin: At }): Promise<void> {
    const head = this.session.head.value.seq;
    try {
      const [seq, pinned] = [Moment.seq(at, head), Moment.seq(pin, head)];
      let reference: Answer | undefined;
      if (this.travels && seq !== pinned) {
        if (this.#reference?.seq !== pinned) this.#reference = await this.ask(pinned);
        reference = this.#reference;
      }
      const answer = await this.ask(seq);
      this.error.value = undefined;
      this.shown.value = { answer, reference };
    } catch (error) {
      if (!(error instanceof DriftError)) throw error;
      this.error.value = error;
    }
  }

  /** The answer at a seq. */
  async ask(seq: number): Promise<Answer> {
    const started = performance.now();
    const { db } = this.session;
    const reader = this.travels && seq < this.session.head.value.seq ? db.asOf({ seq }) : db;
    const result = await reader.query<Row>(this.statement.text);
    return new Answer(result, this.identity, seq, performance.now() - started);
  }

  /** Follows no longer. */
  close(): void {
    for (const end of this.#ends) end();
  }
}
