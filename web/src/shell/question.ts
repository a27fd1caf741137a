// The question above a sample's result, and the first move of the slider that answers half of it.

import { button, h } from '../base/dom';
import type { Sample } from '../samples';
import type { TimeBar } from '../time/bar';
import { gently } from '../time/player';

const GLIDE_MS = 2_200;
const PAUSE_MS = 500;

/** The question of a sample. */
export function question(sample: Sample, answer: () => void, dismissed: () => void): HTMLElement {
  const element = h(
    'section',
    { class: 'question', 'aria-label': 'A question to start with' },
    h('h1', {}, sample.question),
    h('p', {}, sample.hint),
    button(undefined, sample.reveal, answer, { shown: true, class: 'primary' }),
    button('close', 'Dismiss the question', () => {
      element.remove();
      dismissed();
    }),
  );
  return element;
}

/** Moves the slider once by itself, unless somebody is quicker or wants no motion. */
export async function opening(sample: Sample, bar: TimeBar): Promise<void> {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  let touched = false;
  const stop = (): void => {
    touched = true;
    if (bar.player.playing.value) bar.player.stop();
  };
  const events = ['pointerdown', 'keydown', 'wheel'] as const;
  for (const event of events) addEventListener(event, stop, { capture: true, once: true });
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  if (!touched) await bar.glide(Date.parse(sample.moment), GLIDE_MS, gently);
  for (const event of events) removeEventListener(event, stop, { capture: true });
}
