// The sample databases: what they are called, what they ask, how they are made.

import { Session } from '../engine/session';
import { museum } from './museum';
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
  /** What the button says that shows the answer. */
  readonly reveal: string;
  /** The row whose history answers it. */
  readonly answer: { readonly table: string; readonly key: string | number };
  /** The time that the slider shows when it moves by itself. */
  readonly moment: string;
  lines(): Promise<string>;
}

/** Whether the build had the project's history. */
declare const GIT_SAMPLE: boolean;

const ALL: readonly Sample[] = [
  {
    id: 'orders',
    title: 'A small shop',
    about: 'orders, stock, and a nightly job with a mistake in it',
    question: 'Who changed order 7?',
    hint: 'It cost 249.80. Now it says 24.98. Drag the line below into the past, or click the row.',
    script: 'SELECT * FROM orders',
    reveal: 'Show who',
    answer: { table: 'orders', key: 7 },
    moment: '2026-04-13T12:00:00Z',
    lines: async () => orders(),
  },
  {
    id: 'museum',
    title: 'The Blue Hour',
    about: 'a museum, a night in May, a painting that is gone',
    question: 'Who took The Blue Hour?',
    hint: 'For one morning the list said “on loan”. Go to the night of 11 May: who stood in Room 4, and who was on leave?',
    script: "SELECT * FROM works;\nSELECT person, room FROM badges WHERE room != 'outside'",
    reveal: 'Show its history',
    answer: { table: 'works', key: 'blue-hour' },
    moment: '2026-05-11T23:58:00Z',
    lines: async () => museum(),
  },
  {
    id: 'git',
    title: 'How DriftDB was made',
    about: "this project's own git history, a transaction a commit",
    question: 'Which file changed most often?',
    hint: 'Every commit of this project is a transaction. Play it from the beginning and watch the files come and grow.',
    script: 'SELECT path, lines, changes FROM files ORDER BY changes DESC;\nSELECT folder, COUNT(*) AS files, SUM(lines) AS lines FROM files GROUP BY folder ORDER BY lines DESC',
    reveal: 'Show the README’s',
    answer: { table: 'files', key: 'README.md' },
    moment: '2000-01-01T00:00:00Z',
    async lines() {
      const response = await fetch(new URL('samples/git.jsonl', document.baseURI));
      if (!response.ok) throw new Error('the history of the project is not here');
      return response.text();
    },
  },
];

/** All samples; the first is what a first visit shows. */
export const SAMPLES = ALL.filter((sample) => sample.id !== 'git' || GIT_SAMPLE);

/** Opens a sample in a scratch database. */
export async function openSample(sample: Sample): Promise<Session> {
  return Session.open({ kind: 'scratch', title: sample.title, sample: sample.id }, async (db) => db.load(await sample.lines()));
}
