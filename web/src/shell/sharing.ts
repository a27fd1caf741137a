// Sharing what is on the page: a link, or, where that would be too long, a file.

import { h } from '../base/dom';
import { titleOf } from '../engine/session';
import { LINK_MAX, encodeLink } from '../share/link';
import type { Workspace } from '../state/workspace';
import { ask } from './dialog';
import { toast } from './toast';

/** The data of a link may have so many bytes before they are compressed. */
const LINES_MAX = 2_000_000;

/** Shows a link to what is on the page; `file` gives out a file instead. */
export async function share(workspace: Workspace, script: string, file: () => Promise<void>): Promise<void> {
  const link = await linkTo(workspace, script);
  if (link === undefined) {
    const body = h('p', {}, `With its data the link would be longer than ${LINK_MAX / 1000} KB, which many programs cut off. A .drift file carries everything, and opens here at the same moment.`);
    if ((await ask('Too large for a link', [body], [{ label: 'Download the file', kind: 'primary', value: 'file' }])) === 'file') await file();
    return;
  }
  const field = h('textarea', { class: 'input link', readonly: true, rows: 3, 'aria-label': 'Link' }, link);
  const moment = workspace.moment.at.value;
  const says = `It carries the script, the data and ${moment === 'now' ? 'the present' : 'this moment'}, all in the link itself: nothing is sent to a server. Who opens it gets a copy in memory.`;
  field.addEventListener('focus', () => field.select());
  const choice = await ask('Share', [h('p', {}, says), field, h('p', { class: 'faint' }, `${(link.length / 1000).toFixed(1)} KB`)], [{ label: 'Download a file', value: 'file' }, { label: 'Copy the link', kind: 'primary', value: 'copy' }]);
  if (choice === 'file') await file();
  if (choice !== 'copy') return;
  try {
    await navigator.clipboard.writeText(link);
    toast('The link is copied');
  } catch {
    toast('The browser did not allow copying', 'bad');
  }
}

async function linkTo(workspace: Workspace, script: string): Promise<string | undefined> {
  const session = workspace.session.value;
  const { home } = session;
  const at = workspace.moment.at.value;
  const pristine = home.kind === 'scratch' && home.sample !== undefined && session.pristine;
  const lines = pristine ? undefined : await session.db.dump({ maxBytes: LINES_MAX }).catch(() => null);
  if (lines === null) return undefined;
  const fragment = await encodeLink({ script, seq: at === 'now' ? undefined : at, title: titleOf(home), lines, sample: pristine ? home.sample : undefined });
  return fragment === undefined ? undefined : location.href.split('#')[0] + fragment;
}
