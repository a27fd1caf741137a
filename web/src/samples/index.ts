// The sample databases: what they are called, what they ask, how they are made.

import { orders } from './orders';

/** A database worth exploring. */
export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** The one question above its result, and what is to be seen. */
  readonly question: string;
  readonly hint: string;
  readonly script: string;
  /** The row whose history answers it. */
  readonly answer: { readonly table: string; readonly key: string | number };
  /** The time that the slider shows when it moves by itself. */
  readonly moment: string;
  lines(): Promise<string>;
}

/** All samples; the first is what a first visit shows. */
export const SAMPLES: readonly Sample[] = [
  {
    id: 'orders',
    title: 'A small shop',
    about: '140 orders, 10 products and a nightly job with a mistake in it',
    question: 'Who changed order 7?',
    hint: 'It cost 249.80. Now it says 24.98. Drag the line below into the past, or click the row.',
    script: 'SELECT * FROM orders',
    answer: { table: 'orders', key: 7 },
    moment: '2026-04-13T12:00:00Z',
    lines: async () => orders(),
  },
];
