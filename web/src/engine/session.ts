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

/** An open database. */
export class Session {
  readonly db: Database;
  readonly home: Home;
  readonly catalogue: Signal<Catalogue>;
  readonly head: Signal<Head>;
  readonly commits: Commits;

  private constructor(db: Database, home: Home) {
    this.db = db;
    this.home = home;
    this.catalogue = new Signal<Catalogue>([]);
    this.head = new Signal<Head>({ seq: 0, time: 0 });
    this.commits = new Commits(db);
  }

  /** Opens it; `fill` puts something into it before anybody looks. */
  static async open(home: Home, fill?: (db: Database) => Promise<unknown>): Promise<Session> {
    const db = await open(home.kind === 'stored' ? { name: home.name } : { storage: 'memory' });
    try {
      await fill?.(db);
      const session = new Session(db, home);
      await session.refresh();
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
    await this.commits.extend(stats.seq);
  }

  close(): Promise<void> {
    return this.db.close();
  }
}
