// Whether code runs inside a transaction's callback, as far as can be told: while it is called, and in what goes on from the answers that `tx`
// gives it. Nothing is said of what goes on from anything else, as a timer or a fetch.

/** Promises that one continuation passes through before it comes to its next call: more than any code has, and over in microseconds. */
const TICKS = 200;

let inside: object | undefined;
let entered = 0;

/** What follows in this turn of the message loop goes on inside the transaction. */
export function enter(transaction: object): void {
  inside = transaction;
  const own = ++entered;
  let left = TICKS;
  const tick = (): void => {
    if (own !== entered) return;
    left -= 1;
    if (left > 0) queueMicrotask(tick);
    else inside = undefined;
  };
  queueMicrotask(tick);
}

/** The callback has ended. */
export function leave(transaction: object): void {
  if (inside === transaction) inside = undefined;
}

/** The transaction inside whose callback this code runs, if that can be told. */
export function current(): object | undefined {
  return inside;
}
