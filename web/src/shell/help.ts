// What there is to know, on one card.

import { h } from '../base/dom';
import { ask } from './dialog';

const KEYS: readonly (readonly [string, string])[] = [
  ['Ctrl+Enter', 'run the selection, or everything'],
  ['Shift+Enter', 'run the statement at the cursor'],
  [', and .', 'one commit back, one on, from anywhere'],
  ['← →', 'on the slider: by commit; Page Up and Page Down further, Home and End to the ends'],
  ['Space', 'on the slider: play, stop'],
  ['P', 'on the slider: compare with this moment instead of now'],
  ['Enter, S', 'in a result: the history of the row, sort by the column'],
  ['Esc', 'close what is open'],
];

/** Shows the help. */
export async function help(): Promise<void> {
  const body = [
    h('p', {}, 'Every write is an event, and nothing is overwritten. So every question can be asked of every moment: drag the line at the bottom, and all results go there.'),
    h('p', {}, h('span', { class: 'sample-cell' }, 'Amber'), ' is what differs from now, or from the moment you pinned. Click a row for who changed it, when and why.'),
    h('dl', { class: 'keys' }, ...KEYS.map(([key, does]) => h('div', {}, h('dt', {}, key), h('dd', {}, does)))),
    h('p', { class: 'faint' }, 'Databases stay in this browser. A link carries its data in itself; no server sees it.'),
  ];
  await ask('Time travel', body, []);
}
