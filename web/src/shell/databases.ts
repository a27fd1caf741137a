// Opening, keeping, making and deleting databases; files that come in and go out.

import { DriftError, databases, deleteDatabase } from 'driftdb';
import { h } from '../base/dom';
import { keep, recall } from '../base/storage';
import { type Content, importRows, offerDatabase, readFile } from '../data/files';
import { Session, titleOf } from '../engine/session';
import { SAMPLES, type Sample, openSample } from '../samples';
import { Moment } from '../state/moment';
import type { Workspace } from '../state/workspace';
import { ask, askName } from './dialog';
import type { Entry } from './menu';
import { toast } from './toast';

/** What was opened last. */
export type Last = { readonly stored: string } | { readonly sample: string };

/** What the page is told. */
export interface DatabasesEvents {
  /** Another database is open. */
  opened(sample: Sample | undefined, seq: number | undefined): Promise<void>;
  /** Rows came into a table. */
  imported(table: string): void;
  failed(error: unknown): void;
}

/** The databases that can be opened. */
export class Databases {
  readonly #workspace: Workspace;
  readonly #events: DatabasesEvents;
  readonly #chooser = h('input', { type: 'file', multiple: true, hidden: true, 'aria-hidden': 'true' });

  constructor(workspace: Workspace, events: DatabasesEvents) {
    this.#workspace = workspace;
    this.#events = events;
    this.#chooser.addEventListener('change', () => {
      void this.take([...(this.#chooser.files ?? [])]);
      this.#chooser.value = '';
    });
    document.body.append(this.#chooser);
  }

  get #session(): Session {
    return this.#workspace.session.value;
  }

  /** The entries of the menu. */
  async entries(): Promise<Entry[]> {
    const { home } = this.#session;
    const names: string[] = await databases().catch(() => []);
    const stored = names.map((name): Entry => ({
      label: name, icon: 'database', current: home.kind === 'stored' && home.name === name, does: () => void this.openStored(name),
      also: { label: `Delete ${name}`, icon: 'trash', does: () => void this.remove(name) },
    }));
    const samples = SAMPLES.map((sample): Entry => ({ label: sample.title, detail: sample.about, icon: 'table', current: home.kind === 'scratch' && home.sample === sample.id, does: () => void this.openSample(sample) }));
    const scratch: Entry[] = home.kind === 'scratch' ? [{ label: 'Keep this database', detail: 'store it in this browser', icon: 'check', does: () => void this.keep() }] : [];
    return [
      ...scratch,
      { heading: 'In this browser' }, ...stored, { label: 'New database', icon: 'plus', does: () => void this.create() },
      { heading: 'Samples, in memory' }, ...samples,
      { heading: 'Files' },
      { label: 'Import a file', detail: '.drift, CSV, JSON, JSON Lines', icon: 'upload', does: () => this.choose() },
      { label: 'Export the database', detail: `${titleOf(home)}.drift, with all its history`, icon: 'download', does: () => void this.export() },
    ];
  }

  async openStored(name: string): Promise<void> {
    const { home } = this.#session;
    if (home.kind === 'stored' && home.name === name) return;
    await this.#open(() => Session.open({ kind: 'stored', name }), undefined);
  }

  async openSample(sample: Sample): Promise<void> {
    await this.#open(() => openSample(sample), sample);
  }

  async #open(make: () => Promise<Session>, sample: Sample | undefined, seq?: number): Promise<void> {
    document.documentElement.classList.add('opening');
    try {
      const session = await make();
      await this.#workspace.open(session);
      // What a link carried is open no more: a reload comes back to this one.
      if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
      if (session.home.kind === 'stored') keep('last', { stored: session.home.name });
      else if (sample !== undefined) keep('last', { sample: sample.id });
      await this.#events.opened(sample, seq);
    } catch (error) {
      this.#events.failed(error);
    } finally {
      document.documentElement.classList.remove('opening');
    }
  }

  /** Makes an empty database. */
  async create(): Promise<void> {
    const name = await askName('New database', 'Name', await free('my database'), 'Create');
    if (name !== undefined) await this.openStored(name);
  }

  /** Stores a scratch database in the browser. */
  async keep(): Promise<void> {
    const scratch = this.#session;
    const name = await askName('Keep this database', 'Name', await free(titleOf(scratch.home).replaceAll(/[^\p{L}\p{N}_. -]/gu, ' ').trim().slice(0, 60)), 'Keep');
    if (name === undefined) return;
    if ((await databases()).includes(name)) return toast(`There is a database ${name} already`, 'bad');
    const { at, pin } = this.#workspace.moment;
    const [moment, pinned] = [at.value, pin.value];
    await this.#open(() => Session.open({ kind: 'stored', name }, (db) => db.import(scratch.db.export())), undefined, moment === 'now' ? undefined : moment);
    if (this.#session.home.kind !== 'stored') return;
    pin.value = pinned;
    toast(`Kept as ${name}. It is there when you come back.`);
  }

  /** Deletes a stored database, once that was confirmed. */
  async remove(name: string): Promise<void> {
    const body = h('p', {}, 'All its tables go, and all their history with them. There is no way back.');
    if ((await ask(`Delete ${name}?`, [body], [{ label: 'Delete it', kind: 'danger', value: 'ok' }])) === undefined) return;
    try {
      const { home } = this.#session;
      if (home.kind === 'stored' && home.name === name) await this.openSample(SAMPLES[0]!);
      await deleteDatabase(name);
      toast(`${name} is deleted`);
    } catch (error) {
      this.#events.failed(error);
    }
  }

  /** Lets somebody choose files. */
  choose(): void {
    this.#chooser.click();
  }

  /** Takes files that were chosen or dropped. */
  async take(files: readonly File[]): Promise<void> {
    for (const file of files) {
      try {
        await this.#take(await readFile(file), file.name);
      } catch (error) {
        this.#events.failed(error instanceof SyntaxError || !(error instanceof DriftError) ? new DriftError({ code: 'invalid_input', message: `${file.name}: ${error instanceof Error ? error.message : String(error)}` }) : error);
      }
    }
  }

  async #take(content: Content, file: string): Promise<void> {
    if (content.kind === 'database') {
      // A scratch database: nothing that is stored is touched by a file.
      await this.#open(() => Session.open({ kind: 'scratch', title: content.title }, (db) => content.fill(db)), undefined, content.seq);
      return;
    }
    if (content.rows.length === 0) return toast(`${file} has no rows`, 'bad');
    const { rows, key } = await importRows(this.#session.db, content.table, content.rows, file);
    await this.#workspace.changed();
    toast(`${rows} rows into ${content.table}, by ${key}`);
    this.#events.imported(content.table);
  }

  /** Gives the whole database out as a file. */
  async export(): Promise<void> {
    await offerDatabase(this.#session.db, titleOf(this.#session.home)).catch((error: unknown) => this.#events.failed(error));
  }

  /** The same with the moment in its name: opened here, it shows exactly what is seen now. */
  async report(): Promise<void> {
    const seq = Moment.seq(this.#workspace.moment.at.value, this.#session.head.value.seq);
    await offerDatabase(this.#session.db, titleOf(this.#session.home), seq).catch((error: unknown) => this.#events.failed(error));
  }
}

/** What was opened last. */
export function last(): Last | undefined {
  return recall<Last | undefined>('last', undefined);
}

/** A name that is not taken. */
async function free(name: string): Promise<string> {
  const names: string[] = await databases().catch(() => []);
  for (let number = 1; ; number++) {
    const one = number === 1 ? name : `${name} ${number}`;
    if (!names.includes(one)) return one;
  }
}
