// What is opened when the page opens: a link's content, else what was open last, else the first sample.

import { databases } from 'driftdb';
import { Session } from '../engine/session';
import { SAMPLES, type Sample, openSample } from '../samples';
import { decodeLink } from '../share/link';
import { last } from './databases';

/** What the page begins with. */
export interface Beginning {
  readonly session: Session;
  readonly sample: Sample | undefined;
  /** A script that comes along. */
  readonly script: string | undefined;
  /** The moment that comes along. */
  readonly seq: number | undefined;
  /** Nobody has been here before. */
  readonly isFirst: boolean;
  /** What could not be opened. */
  readonly problem: string | undefined;
}

/** Opens what the page begins with. */
export async function first(): Promise<Beginning> {
  const kept = last();
  const plain = { script: undefined, seq: undefined, isFirst: kept === undefined, problem: undefined };
  let problem: string | undefined;
  try {
    const linked = await fromLink();
    if (linked !== undefined) return linked;
    if (kept !== undefined && 'stored' in kept && (await databases()).includes(kept.stored)) {
      return { ...plain, session: await Session.open({ kind: 'stored', name: kept.stored }), sample: undefined };
    }
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const sample = SAMPLES.find((one) => kept !== undefined && 'sample' in kept && one.id === kept.sample) ?? SAMPLES[0]!;
  return { ...plain, session: await openSample(sample), sample, problem };
}

async function fromLink(): Promise<Beginning | undefined> {
  const shared = await decodeLink(location.hash);
  if (shared === undefined) return undefined;
  const { script, seq, title, lines } = shared;
  const sample = SAMPLES.find((one) => one.id === shared.sample);
  const session = sample !== undefined && lines === undefined ? await openSample(sample) : await Session.open({ kind: 'scratch', title }, async (db) => db.load(lines ?? ''));
  return { session, sample: undefined, script, seq, isFirst: false, problem: undefined };
}
