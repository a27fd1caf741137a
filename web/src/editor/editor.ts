// The editor of a script: CodeMirror with DriftQL, and the keys that run it.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { type Diagnostic, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, drawSelection, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import type { DriftError } from 'driftdb';
import type { Catalogue } from '../engine/catalogue';
import { driftql } from '../language/mode';
import { statementAt, statements } from '../language/statement';

/** Errors are looked for when nobody has typed for so long. */
const CHECK_MS = 350;

/** What the editor asks for. */
export interface EditorEvents {
  /** To run a text, which stands at this place of the script. */
  run(script: string, offset: number): void;
  /** The text has changed. */
  typed(script: string): void;
  /** The errors of a text that is being typed. */
  check(script: string): Promise<DriftError[]>;
  catalogue(): Catalogue;
}

/** The editor. */
export class Editor {
  readonly view: EditorView;
  readonly #events: EditorEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The errors of the last run, as long as the text is the one that was run. */
  #mistakes: readonly Diagnostic[] = [];

  constructor(parent: HTMLElement, events: EditorEvents) {
    this.#events = events;
    const runs = [
      { key: 'Mod-Enter', run: () => this.run() },
      { key: 'Shift-Enter', run: () => this.runStatement() },
    ];
    const typed = EditorView.updateListener.of((update) => {
      if (!update.docChanged || update.transactions.some((one) => one.isUserEvent('replace.tab'))) return;
      events.typed(update.state.doc.toString());
      this.#mistakes = [];
      this.#checkLater();
    });
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        extensions: [
          Prec.highest(keymap.of(runs)),
          history(), drawSelection(), highlightSpecialChars(), bracketMatching(), closeBrackets(), autocompletion({ icons: false }), driftql(() => events.catalogue()),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
          placeholder('SELECT * FROM ..'), EditorView.lineWrapping, EditorView.contentAttributes.of({ 'aria-label': 'DriftQL script' }), typed,
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Puts another text in place, as when a tab is changed. */
  set(text: string): void {
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text }, selection: { anchor: Math.min(text.length, this.view.state.selection.main.anchor) }, userEvent: 'replace.tab' });
    this.blame([], 0);
  }

  /** Runs what is selected, or everything. */
  run(): boolean {
    const { from, to, empty } = this.view.state.selection.main;
    if (empty) this.#events.run(this.text, 0);
    else this.#events.run(this.view.state.sliceDoc(from, to), from);
    return true;
  }

  /** Runs the statement at the cursor. */
  runStatement(): boolean {
    const one = statementAt(statements(this.text), this.view.state.selection.main.head);
    if (one !== undefined) this.#events.run(one.text, one.from);
    return true;
  }

  #checkLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const text = this.text;
      const errors = await this.#events.check(text);
      if (text !== this.text) return;
      // A run that came meanwhile may have found what is found only there.
      const isNew = (one: Diagnostic): boolean => !this.#mistakes.some((other) => other.from === one.from && other.message === one.message);
      this.#underline([...this.#mistakes, ...this.#diagnostics(errors, 0).filter(isNew)]);
    }, CHECK_MS);
  }

  /** Underlines the errors of a run at their places, or none. */
  blame(errors: readonly DriftError[], offset: number): void {
    this.#mistakes = this.#diagnostics(errors, offset);
    this.#underline(this.#mistakes);
  }

  #underline(diagnostics: readonly Diagnostic[]): void {
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }

  #diagnostics(errors: readonly DriftError[], offset: number): Diagnostic[] {
    const { length } = this.view.state.doc;
    return errors.map((error): Diagnostic => {
      const from = Math.min(length, Math.max(0, (error.position?.start ?? 0) + offset));
      const to = Math.min(length, Math.max(from + 1, (error.position?.end ?? length) + offset));
      const message = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
      return { from: Math.min(from, Math.max(0, to - 1)), to, severity: 'error', message, source: error.code };
    });
  }
}
