// The moment that everything on the page is read at, and the one it is compared with.

import { Signal } from '../base/signal';

/** A seq, or the present. */
export type At = number | 'now';

/** The moment on the slider. */
export class Moment {
  /** What the results show. */
  readonly at = new Signal<At>('now');
  /** What they are compared with; the present unless something else was pinned. */
  readonly pin = new Signal<At>('now');

  /** Goes to a seq; the head's is the present. */
  go(seq: number, head: number): void {
    this.at.value = seq >= head ? 'now' : Math.max(0, Math.round(seq));
  }

  /** Back to the present, and compared with it. */
  reset(): void {
    this.pin.value = 'now';
    this.at.value = 'now';
  }

  /** The seq of a moment. */
  static seq(at: At, head: number): number {
    return at === 'now' ? head : Math.min(at, head);
  }
}
