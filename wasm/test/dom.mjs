// A document for tests of hooks: imported first, as frameworks look for one when they are loaded.

import { Window } from 'happy-dom';

export const window = new Window();
const names = ['document', 'navigator', 'Node', 'Element', 'HTMLElement', 'SVGElement', 'MathMLElement', 'HTMLIFrameElement'];
for (const [name, value] of [['window', window], ...names.map((name) => [name, window[name]])]) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
