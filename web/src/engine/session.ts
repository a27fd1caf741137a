// An open database: the package's handle with what is known of it.

import { type Database, open } from 'driftdb';
import { Signal } from '../base/signal';
import { type Catalogue, readCatalogue } from './catalogue';
import { Commits } from './commits';

/** Which database: one that the browser keeps, or a scratch one in memory that is gone with the page. */
export type Home = { readonly kind: 'stored'; readonly name: string } | { readonly kind: 'scratch'; readonly title: string; readonly sample?: string };

/** What people call it. */
export function titleOf(home: Home): string {
  return home.kind === 'stored' ? home.name : home.title;
}

/** The last event. */
export interface Head {
  readonly seq: number;
  readonly time: number;
}

/**
 * A step of the slider reads a table as of any moment: the nearest snapshot, and what came after it. With snapshots this often, rather than every
 * 100,000 events, that is a few milliseconds wherever the slider is; they take little room.
 */
const ENGINE = { snapshotEvents: 2_000, memtableEvents: 1_000 };

/** Histories up to this are known commit by commit before anything is shown; of longer ones that comes later. */
const WAIT_EVENTS = 5_000;
const SETTLE_MS = 40;

/** An open database. */
export class Session {
  readonly db: Database;
  readonly home: Home;
  readonly catalogue = new Signal<Catalogue>([]);
  readonly head = new Signal<Head>({ seq: 0, time: 0 });
  readonly commits = new Commits();
  /** Counts the times that others have written: another tab, another program. */
  readonly others = new Signal(0);
  #opened = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  private constructor(db: Database, home: Home) {
    this.db = db;
    this.home = home;
  }

  /** Opens it; `fill` puts something into it before anybody looks. */
  static async open(home: Home, fill?: (db: Database) => Promise<unknown>): Promise<Session> {
    const db = await open(home.kind === 'stored' ? { ...ENGINE, name: home.name } : { ...ENGINE, storage: 'memory' });
    try {
      await fill?.(db);
      const session = new Session(db, home);
      await session.refresh();
      await session.#follow();
      return session;
    } catch (error) {
      await db.close().catch(() => {});
      throw error;
    }
  }

  /** Looks at what there is: after opening, and after writes. */
  async refresh(): Promise<void> {
    const stats = await this.db.stats();
    this.catalogue.value = await readCatalogue(this.db, stats.tables, this.catalogue.value);
    this.head.value = { seq: stats.seq, time: stats.time };
  }

  /** Whether nothing was written since it was opened. */
  get pristine(): boolean {
    return this.head.value.seq === this.#opened;
  }

  async #follow(): Promise<void> {
    const { seq } = this.head.value;
    this.#opened = seq;
    const since = Math.max(0, ...this.catalogue.value.map((table) => table.horizon));
    const there = this.commits.follow(this.db, since, seq, () => this.#later());
    if (seq - since <= WAIT_EVENTS) await there;
    else there.catch((error: unknown) => reportError(error));
  }

  /** Commits that follow one another quickly are looked at together. */
  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#seen(), SETTLE_MS);
  }

  async #seen(): Promise<void> {
    const before = this.head.value.seq;
    if (this.#closed || this.commits.last <= before) return;
    await this.refresh();
    this.others.value += 1;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.commits.close();
    await this.db.close();
  }
}
