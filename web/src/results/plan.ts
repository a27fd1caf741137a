// How a SELECT runs, as a list of steps from the first to the last.

import { h } from '../base/dom';
import type { Result } from '../state/result';
import type { View } from './card';

const MEANING: Readonly<Record<string, string>> = {
  at: 'the moment', nothing: 'no row can match', get: 'by key', scan: 'read', lookup: 'by an index', filter: 'keep', group: 'group', sort: 'sort', limit: 'stop after', project: 'give',
};

/** Whether a plan can be asked for. */
export function hasPlan(result: Result): boolean {
  return result.statement.act === 'select';
}

/** The plan of a result. */
export async function plan(result: Result): Promise<View> {
  const { rows } = await result.session.db.query<{ step: string; detail: string }>(`EXPLAIN ${result.statement.text}`);
  const full = rows.some((row) => row.step === 'scan' && row.detail.startsWith('all rows'));
  const steps = rows.map(({ step, detail }) => h('li', { class: `plan-step ${step}` }, h('span', { class: 'plan-name' }, MEANING[step] ?? step), h('code', {}, detail)));
  const took = result.shown.value?.answer.took;
  const notes = [took === undefined ? '' : `The last answer took ${took.toFixed(1)} ms, page and worker together.`, full ? 'Every row is read: an index on what WHERE names would help once the table is large.' : ''];
  return { element: h('div', { class: 'plan' }, h('ol', {}, ...steps), h('p', { class: 'faint' }, notes.join(' '))) };
}
