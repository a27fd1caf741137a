// The page: where everything stands, and who tells whom.

import { DriftError } from 'driftdb';
import { button, fill, h, icon } from '../base/dom';
import { keep, recall } from '../base/storage';
import { Meter } from '../data/meter';
import { Tables } from '../data/sidebar';
import { Editor } from '../editor/editor';
import { ScriptTabs } from '../editor/tabs';
import { titleOf } from '../engine/session';
import { reads, statements } from '../language/statement';
import { quoteName } from '../language/words';
import { DriftPanel } from '../results/drift';
import type { Chosen } from '../results/grid';
import { Pane, emptyDatabase } from '../results/pane';
import { Provenance } from '../results/provenance';
import type { Sample } from '../samples';
import { Moment } from '../state/moment';
import type { Result } from '../state/result';
import { remember, runs } from '../state/runs';
import { Scripts } from '../state/scripts';
import { Workspace } from '../state/workspace';
import { TimeBar } from '../time/bar';
import { Databases } from './databases';
import { dropZone } from './drop';
import type { Beginning } from './first';
import { help } from './help';
import { menuButton } from './menu';
import { opening, question } from './question';
import { share } from './sharing';
import { theme, turnTheme } from './theme';
import { toast, toasts } from './toast';

/** The page. */
export class App {
  readonly #workspace: Workspace;
  readonly #scripts = new Scripts();
  readonly #editor: Editor;
  readonly #bar: TimeBar;
  readonly #drift: DriftPanel;
  readonly #pane: Pane;
  readonly #databases: Databases;
  readonly #provenance: Provenance;
  readonly #question = h('div', { class: 'question-home' });

  constructor(root: HTMLElement, beginning: Beginning) {
    this.#workspace = new Workspace(beginning.session);
    const failed = (error: unknown): void => this.#failed(error);
    this.#databases = new Databases(this.#workspace, { opened: (sample, seq) => this.#opened(sample, undefined, seq), imported: (table) => this.#look(table), failed });
    this.#drift = new DriftPanel({ go: (seq) => this.#bar.go(seq), restored: (seq) => void this.#restored(seq), failed, closed: () => {} });
    this.#provenance = new Provenance(this.#workspace);
    this.#pane = new Pane(this.#workspace, {
      open: (result, chosen) => void this.#open(result, chosen),
      look: (result, chosen) => this.#provenance.look(result, chosen),
      go: (seq) => this.#bar.go(seq), say: (text) => toast(text), failed,
    });
    const editorHome = h('div', { class: 'editor' });
    this.#editor = new Editor(editorHome, {
      run: (script, offset) => void this.run(script, offset),
      typed: (script) => this.#scripts.type(script),
      check: (script) => this.#workspace.check(script),
      catalogue: () => this.#workspace.session.value.catalogue.value,
    });
    this.#bar = new TimeBar(this.#workspace);
    const tabs = new ScriptTabs(this.#scripts, (text) => this.#closed(text));
    const side = h('aside', { class: 'side', 'aria-label': 'Database' }, new Tables(this.#workspace, { look: (table) => this.#look(table.name) }).element, new Meter(this.#workspace).element);
    const script = h('section', { class: 'script', 'aria-label': 'Script' }, h('div', { class: 'script-head' }, tabs.element, this.#runBar()), editorHome);
    const work = h('main', { class: 'work', on: { pointerdown: () => document.documentElement.classList.remove('with-side') } }, this.#question, script, this.#pane.element);
    root.replaceChildren(this.#header(), side, work, this.#drift.element, this.#bar.element, toasts(), this.#provenance.element);
    this.#listen(root);
    void this.#begin(beginning);
  }

  #listen(root: HTMLElement): void {
    const { moment, mistake } = this.#workspace;
    theme.watch(() => this.#bar.recolour());
    mistake.watch((one) => this.#editor.blame(one === undefined ? [] : [one.error], one?.offset ?? 0));
    moment.at.watch((at) => this.#drift.mark(Moment.seq(at, this.#workspace.session.value.head.value.seq)));
    this.#scripts.active.watch((id) => id !== '' && this.#editor.set(this.#scripts.current.text));
    let end = (): void => {};
    this.#workspace.session.now((session) => {
      document.title = `${titleOf(session.home)} · DriftDB playground`;
      this.#drift.close();
      end();
      end = session.others.watch(() => void this.#drift.renew(this.#bar.seq));
    });
    dropZone(root, (files) => void this.#databases.take(files));
    addEventListener('hashchange', () => location.reload());
    addEventListener('keydown', (event) => this.#key(event));
  }

  async #begin(beginning: Beginning): Promise<void> {
    const { sample, script, seq, isFirst, problem } = beginning;
    if (problem !== undefined) toast(problem, 'bad');
    if (script !== undefined) this.#scripts.add(script);
    this.#editor.set(this.#scripts.current.text);
    await this.#opened(sample, script, seq);
    performance.mark('ready');
    document.documentElement.classList.add('ready');
    if (isFirst && sample !== undefined) {
      keep('last', { sample: sample.id });
      await opening(sample, this.#bar);
    }
  }

  /** A database was opened: its question, a script that fits it, the moment that came along. */
  async #opened(sample: Sample | undefined, script: string | undefined, seq: number | undefined): Promise<void> {
    this.#ask(sample);
    const { catalogue } = this.#workspace.session.value;
    if (catalogue.value.length === 0) return fill(this.#pane.element, emptyDatabase(() => this.#databases.choose(), () => this.#start()));
    const isThere = (table: string | undefined): boolean => table === undefined || catalogue.value.some((one) => one.name === table);
    /** What a script reads of this database: what it writes is not done by opening it. */
    const readable = (text: string): string => statements(text).filter((one) => reads(one) && isThere(one.table)).map((one) => one.text).join(';\n');
    const all = `SELECT * FROM ${quoteName(catalogue.value[0]!.name)}`;
    if (script === undefined && readable(this.#scripts.current.text) === '') {
      this.#scripts.add(sample?.script ?? all);
      this.#editor.set(this.#scripts.current.text);
    }
    if (seq !== undefined) this.#workspace.moment.go(seq, this.#workspace.session.value.head.value.seq);
    await this.run(readable(this.#editor.text) || all, 0, false);
  }

  #ask(sample: Sample | undefined): void {
    const dismissed = recall<readonly string[]>('dismissed', []);
    if (sample === undefined || dismissed.includes(sample.id)) return fill(this.#question);
    fill(this.#question, question(sample, () => void this.#history(sample.answer.table, sample.answer.key), () => {
      keep('dismissed', [...dismissed, sample.id]);
      fill(this.#question);
    }));
  }

  /** Runs a text, which stands at this place of the script. */
  async run(script: string, offset: number, note = true): Promise<void> {
    this.#provenance.hide();
    const session = this.#workspace.session.value;
    const { ok, took } = await this.#workspace.run(script, offset);
    if (note) remember({ script, database: titleOf(session.home), time: Date.now(), took, ok });
  }

  #header(): HTMLElement {
    const turn = button(theme.value === 'dark' ? 'sun' : 'moon', 'Light or dark', turnTheme);
    theme.watch((value) => fill(turn, icon(value === 'dark' ? 'sun' : 'moon') as unknown as HTMLElement));
    const menu = button('menu', 'Tables', () => document.documentElement.classList.toggle('with-side'), { class: 'menu' });
    const name = h('span', { class: 'database-name' });
    const keepIt = button(undefined, 'Keep', () => void this.#databases.keep(), { shown: true, class: 'small keep' });
    const kind = h('span', { class: 'badge' });
    this.#workspace.session.now(({ home }) => {
      name.textContent = titleOf(home);
      kind.textContent = 'in memory';
      kind.hidden = home.kind === 'stored';
      keepIt.hidden = home.kind === 'stored';
    });
    const databases = menuButton('Databases', [icon('database') as unknown as Node, name, kind, icon('chevron') as unknown as Node], () => this.#databases.entries(), 'database');
    const sharing = button('share', 'Share', () => void share(this.#workspace, this.#editor.text, () => this.#databases.report()), { shown: true });
    const report = button('bug', 'Report: a file that opens at exactly this moment', () => void this.#databases.report());
    return h('header', { class: 'top' }, menu, h('span', { class: 'brand' }, h('img', { src: './icon.svg', alt: '', width: 22, height: 22 }), h('span', { class: 'brand-name' }, 'DriftDB')), databases, keepIt, h('div', { class: 'top-tools' }, sharing, report, button('help', 'Help', () => void help(), { keys: '?' }), turn));
  }

  #runBar(): HTMLElement {
    const run = button('run', 'Run', () => this.#editor.run(), { shown: true, class: 'primary', keys: 'Ctrl+Enter' });
    this.#workspace.running.watch((running) => run.classList.toggle('running', running));
    const history = menuButton('Runs', [icon('clock') as unknown as Node], async () => {
      const all = runs();
      if (all.length === 0) return [{ heading: 'Nothing was run yet' }];
      return [{ heading: 'Runs' }, ...all.slice(0, 30).map((one) => ({ label: one.script.replace(/\s+/g, ' ').slice(0, 60), detail: `${one.database}, ${new Date(one.time).toLocaleString()}, ${Math.round(one.took)} ms${one.ok ? '' : ', failed'}`, icon: one.ok ? ('check' as const) : ('close' as const), does: () => this.#scripts.add(one.script) }))];
    });
    return h('div', { class: 'run-bar' }, history, run);
  }

  #look(table: string): void {
    const script = `SELECT * FROM ${quoteName(table)}`;
    document.documentElement.classList.remove('with-side');
    this.#scripts.add(script);
    void this.run(script, 0);
  }

  #start(): void {
    this.#scripts.add('CREATE TABLE notes (pk=id);\nINSERT INTO notes {"id": 1, "text": "Nothing is overwritten"};\nPATCH notes KEY 1 SET {"text": "Nothing is ever overwritten"};\nSELECT * FROM notes');
    this.#editor.view.focus();
  }

  #closed(text: string): void {
    remember({ script: text, database: titleOf(this.#workspace.session.value.home), time: Date.now(), took: 0, ok: true });
  }

  async #open(result: Result, { row }: Chosen): Promise<void> {
    this.#provenance.hide();
    const key = result.identity.key(row);
    if (key === undefined || result.statement.table === undefined) this.#drift.document(row);
    else await this.#history(result.statement.table, key);
  }

  async #history(table: string, key: string | number | bigint): Promise<void> {
    try {
      await this.#drift.show({ session: this.#workspace.session.value, table, key }, this.#bar.seq);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #restored(seq: number): Promise<void> {
    await this.#workspace.changed();
    this.#bar.go(Infinity);
    await this.#drift.renew(seq);
    toast(`Restored, as a new event: @seq:${seq}. Nothing was overwritten.`);
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as Element;
    if (event.key === 'Escape') document.documentElement.classList.remove('with-side');
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.defaultPrevented && target.closest('.cm-editor, dialog') === null) {
      this.#editor.run();
      event.preventDefault();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select, .cm-editor, dialog, [role=slider]') !== null) return;
    const does: Record<string, () => void> = { ',': () => this.#bar.step(-1), '.': () => this.#bar.step(1), '?': () => void help() };
    does[event.key]?.();
  }

  #failed(error: unknown): void {
    if (!(error instanceof DriftError)) throw error;
    toast(error.hint === undefined ? error.message : `${error.message} (${error.hint})`, 'bad');
  }
}
