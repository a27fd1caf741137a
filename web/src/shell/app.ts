// The page: where everything stands, and who tells whom.

import { DriftError } from 'driftdb';
import { button, fill, h, icon } from '../base/dom';
import { Tables } from '../data/sidebar';
import { Editor } from '../editor/editor';
import { type Session, titleOf } from '../engine/session';
import { quoteName } from '../language/words';
import { Card, tools } from '../results/card';
import { DriftPanel } from '../results/drift';
import type { Chosen } from '../results/grid';
import type { Sample } from '../samples';
import { Moment } from '../state/moment';
import type { Result } from '../state/result';
import { type Outcome, Workspace } from '../state/workspace';
import { TimeBar } from '../time/bar';
import type { Beginning } from './first';
import { opening, question } from './question';
import { theme, turnTheme } from './theme';
import { toast, toasts } from './toast';

/** The page. */
export class App {
  readonly #workspace: Workspace;
  readonly #editor: Editor;
  readonly #bar: TimeBar;
  readonly #drift: DriftPanel;
  readonly #results = h('div', { class: 'results' });
  readonly #title = h('span', { class: 'database' });
  #cards: Card[] = [];

  constructor(root: HTMLElement, beginning: Beginning) {
    this.#workspace = new Workspace(beginning.session);
    this.#drift = new DriftPanel({
      go: (seq) => this.#bar.go(seq),
      restored: (seq) => void this.#restored(seq),
      failed: (error) => this.#failed(error),
      closed: () => {},
    });
    const editorHome = h('div', { class: 'editor' });
    this.#editor = new Editor(editorHome, {
      run: (script, offset) => void this.run(script, offset),
      typed: () => {},
      catalogue: () => this.#workspace.session.value.catalogue.value,
    });
    this.#bar = new TimeBar(this.#workspace);
    const tables = new Tables(this.#workspace, { look: (table) => this.#look(table.name) });
    const questionHome = h('div', { class: 'question-home' });
    const work = h('main', { class: 'work' }, questionHome, h('div', { class: 'script' }, editorHome, this.#runBar()), this.#results);
    root.replaceChildren(this.#header(), h('aside', { class: 'side', id: 'side' }, tables.element), work, this.#drift.element, this.#bar.element, toasts());
    this.#workspace.outcomes.watch((outcomes) => this.#show(outcomes));
    this.#workspace.mistake.watch((mistake) => this.#editor.blame(mistake?.error, mistake?.offset ?? 0));
    this.#workspace.moment.at.watch((at) => this.#drift.mark(Moment.seq(at, this.#workspace.session.value.head.value.seq)));
    this.#workspace.session.now((session) => fill(this.#title, titleOf(session.home)));
    theme.watch(() => this.#workspace.moment.at.value);
    if (beginning.script !== undefined) this.#editor.set(beginning.script);
    void this.#begin(beginning, questionHome);
  }

  async #begin({ sample, script }: Beginning, home: HTMLElement): Promise<void> {
    if (sample !== undefined) fill(home, question(sample, () => void this.#answer(sample), () => fill(home)));
    if (script !== undefined) await this.run(script, 0);
    performance.mark('ready');
    document.documentElement.classList.add('ready');
    if (sample !== undefined) await opening(sample, this.#bar);
  }

  /** Runs a text, which stands at this place of the script. */
  async run(script: string, offset: number): Promise<void> {
    await this.#workspace.run(script, offset);
  }

  #header(): HTMLElement {
    const turn = button(theme.value === 'dark' ? 'sun' : 'moon', 'Light or dark', turnTheme);
    theme.watch((value) => fill(turn, icon(value === 'dark' ? 'sun' : 'moon') as unknown as HTMLElement));
    const menu = button('menu', 'Tables', () => document.documentElement.classList.toggle('with-side'), { class: 'menu' });
    return h('header', { class: 'top' }, menu, h('span', { class: 'brand' }, mark(), 'DriftDB'), this.#title, h('div', { class: 'top-tools' }, turn));
  }

  #runBar(): HTMLElement {
    const run = button('run', 'Run', () => this.#editor.run(), { shown: true, class: 'primary', keys: 'Ctrl+Enter' });
    return h('div', { class: 'run-bar' }, run);
  }

  #look(table: string): void {
    const script = `SELECT * FROM ${quoteName(table)}`;
    this.#editor.set(script);
    void this.run(script, 0);
  }

  #show(outcomes: readonly Outcome[]): void {
    for (const card of this.#cards) card.close();
    this.#cards = [];
    const elements = outcomes.map((outcome) => {
      if (outcome.kind === 'note') return h('p', { class: 'note' }, outcome.note.text);
      const card = new Card(outcome.result, { open: (result, chosen) => void this.#open(result, chosen), look: () => {} }, tools());
      this.#cards.push(card);
      return card.element;
    });
    const mistake = this.#workspace.mistake.value;
    if (mistake !== undefined) elements.push(h('p', { class: 'note bad', role: 'alert' }, mistake.error.message, mistake.error.hint === undefined ? null : h('span', { class: 'faint' }, ` ${mistake.error.hint}`)));
    fill(this.#results, ...elements);
  }

  async #open(result: Result, { row }: Chosen): Promise<void> {
    const key = result.identity.key(row);
    if (key === undefined || result.statement.table === undefined) return;
    await this.#history(result.session, result.statement.table, key);
  }

  async #history(session: Session, table: string, key: string | number | bigint): Promise<void> {
    try {
      await this.#drift.show({ session, table, key }, Moment.seq(this.#workspace.moment.at.value, session.head.value.seq));
    } catch (error) {
      this.#failed(error);
    }
  }

  #answer(sample: Sample): Promise<void> {
    return this.#history(this.#workspace.session.value, sample.answer.table, sample.answer.key);
  }

  async #restored(seq: number): Promise<void> {
    await this.#workspace.changed();
    this.#workspace.moment.at.value = 'now';
    await this.#drift.renew(seq);
    toast(`Restored: a new event, @seq:${seq}. Nothing was overwritten.`);
  }

  #failed(error: unknown): void {
    if (!(error instanceof DriftError)) throw error;
    toast(error.hint === undefined ? error.message : `${error.message} (${error.hint})`, 'bad');
  }
}

function mark(): HTMLElement {
  return h('img', { src: './icon.svg', alt: '', width: 22, height: 22 });
}
