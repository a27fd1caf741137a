// What is opened when the page opens: a link's content, else what was open last, else the first sample.

import { Session } from '../engine/session';
import { SAMPLES, type Sample } from '../samples';

/** What the page begins with. */
export interface Beginning {
  readonly session: Session;
  readonly sample: Sample | undefined;
  readonly script: string | undefined;
}

/** Opens a sample in a scratch database. */
export async function openSample(sample: Sample): Promise<Session> {
  return Session.open({ kind: 'scratch', title: sample.title, sample: sample.id }, async (db) => db.load(await sample.lines()));
}

/** Opens what the page begins with. */
export async function first(): Promise<Beginning> {
  const sample = SAMPLES[0]!;
  return { session: await openSample(sample), sample, script: sample.script };
}
