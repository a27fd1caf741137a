// Files that are dropped anywhere on the page.

import { h, icon } from '../base/dom';

/** Takes files that are dropped; while they hover the page says so. */
export function dropZone(root: HTMLElement, take: (files: readonly File[]) => void): void {
  const veil = h('div', { class: 'drop-veil', hidden: true }, icon('upload') as unknown as Node, h('p', {}, 'Drop CSV, JSON, JSON Lines or .drift'));
  root.append(veil);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  addEventListener('drop', (event) => {
    veil.hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
