// Dialogs: one at a time, closed by Escape, focus goes back to where it was.

import { h } from '../base/dom';

/** A choice in a dialog. */
export interface Choice {
  readonly label: string;
  readonly kind?: 'primary' | 'danger';
  readonly value: string;
}

/** Shows a dialog; resolves with the value of the choice, or undefined if it was closed without one. */
export function ask(title: string, body: readonly (Node | string)[], choices: readonly Choice[]): Promise<string | undefined> {
  const buttons = choices.map((choice) => h('button', { type: 'submit', class: `button ${choice.kind ?? ''}`, value: choice.value }, choice.label));
  const cancel = h('button', { type: 'submit', class: 'button', value: '', formnovalidate: true }, choices.length === 0 ? 'Close' : 'Cancel');
  const form = h('form', { method: 'dialog' }, h('h2', { id: 'dialog-title' }, title), h('div', { class: 'dialog-body' }, ...body), h('div', { class: 'dialog-choices' }, cancel, ...buttons));
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'dialog-title' }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === '' ? undefined : dialog.returnValue);
    });
    dialog.addEventListener('pointerdown', (event) => event.target === dialog && dialog.close(''));
  });
}

/** Asks for a name; undefined if nobody gave one. */
export async function askName(title: string, label: string, suggestion: string, done: string): Promise<string | undefined> {
  const input = h('input', { type: 'text', class: 'input', value: suggestion, required: true, maxlength: 64, pattern: '[\\p{L}\\p{N}_][\\p{L}\\p{N}_. \\-]*', autocomplete: 'off', 'aria-label': label, title: 'letters, digits, spaces and _ . -' });
  const answer = await ask(title, [h('label', {}, label, input)], [{ label: done, kind: 'primary', value: 'ok' }]);
  return answer === undefined ? undefined : input.value;
}
