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

/** What the editor asks for. */
export interface EditorEvents {
  /** To run a text, which stands at this place of the script. */
  run(script: string, offset: number): void;
  /** The text has changed. */
  typed(script: string): void;
  catalogue(): Catalogue;
}

/** The editor. */
export class Editor {
  readonly view: EditorView;
  readonly #events: EditorEvents;

  constructor(parent: HTMLElement, events: EditorEvents) {
    this.#events = events;
    const runs = [
      { key: 'Mod-Enter', run: () => this.run() },
      { key: 'Shift-Enter', run: () => this.runStatement() },
    ];
    const typed = EditorView.updateListener.of((update) => {
      if (update.docChanged && !update.transactions.some((one) => one.isUserEvent('replace.tab'))) events.typed(update.state.doc.toString());
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
    this.blame(undefined, 0);
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

  /** Underlines an error at its place, or none. */
  blame(error: DriftError | undefined, offset: number): void {
    const diagnostics: Diagnostic[] = [];
    const { length } = this.view.state.doc;
    if (error !== undefined) {
      const from = Math.min(length, (error.position?.start ?? 0) + offset);
      const to = Math.min(length, Math.max(from + 1, (error.position?.end ?? length) + offset));
      const message = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
      diagnostics.push({ from: Math.min(from, to), to, severity: 'error', message, source: error.code });
    }
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics));
  }
}
