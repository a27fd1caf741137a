// Times as people read them. All of them UTC, as the engine's dates are.

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const SHORT = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** `9 Mar 2026, 02:59` */
export function dateTime(time: number): string {
  return `${DAY.format(time)}, ${CLOCK.format(time)}`;
}

/** `9 Mar 2026` */
export function day(time: number): string {
  return DAY.format(time);
}

/** What tells two times on an axis apart: the clock within two days, else the day. */
export function axisLabel(time: number, span: number): string {
  if (span < 2 * 86_400_000) return CLOCK.format(time);
  return span < 300 * 86_400_000 ? SHORT.format(time) : DAY.format(time);
}
