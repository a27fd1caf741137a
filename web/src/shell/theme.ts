// Light or dark: as the system has it, until somebody chooses.

import { Signal } from '../base/signal';

export type Theme = 'light' | 'dark';

const KEY = 'driftdb.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | undefined {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : undefined;
}

/** The theme as it is. */
export const theme = new Signal<Theme>(chosen() ?? (system.matches ? 'dark' : 'light'));

system.addEventListener('change', () => {
  if (chosen() === undefined) theme.value = system.matches ? 'dark' : 'light';
});

theme.now((value) => {
  document.documentElement.dataset['theme'] = value;
  document.querySelector('meta[name="theme-color"]')?.setAttribute('content', value === 'dark' ? '#141312' : '#faf9f6');
});

/** The other one, for good. */
export function turnTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  localStorage.setItem(KEY, theme.value);
}
