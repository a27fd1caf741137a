// How much the browser keeps for this page, and whether it may throw it away.

import { button, fill, h } from '../base/dom';
import type { Workspace } from '../state/workspace';

/** Bytes as people say them. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let size = count;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return `${size >= 100 || at === 0 ? Math.round(size) : size.toFixed(1)} ${units[at]}`;
}

/** The storage meter. */
export class Meter {
  readonly element = h('section', { class: 'meter', 'aria-label': 'Storage' });
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    workspace.session.now((session) => {
      void this.draw();
      session.head.watch(() => void this.draw());
    });
  }

  /** Looks again. */
  async draw(): Promise<void> {
    const session = this.#workspace.session.value;
    if (session.home.kind === 'scratch') {
      fill(this.element, h('p', { class: 'faint' }, 'In memory: gone when the page is closed, unless you keep it.'));
      return;
    }
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    const persisted = await navigator.storage.persisted();
    const ask = async (): Promise<void> => {
      await session.db.persist();
      await this.draw();
    };
    fill(
      this.element,
      h('meter', { min: 0, max: Math.max(1, quota), value: usage, 'aria-label': 'Storage used' }),
      h('p', { class: 'faint' }, `${bytes(usage)} of ${bytes(quota)} used, in ${session.db.storage === 'opfs' ? 'OPFS' : 'IndexedDB'}. ${persisted ? 'The browser keeps it for good.' : 'The browser may clear it when space runs short.'}`),
      persisted ? null : button(undefined, 'Ask to keep it', () => void ask(), { shown: true, class: 'small' }),
    );
  }
}
