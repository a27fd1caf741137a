// Colours that tell tables apart, the same in the sidebar and on the strip.

/** The colours of tables, taken in turn by name; CSS has them. */
export const SERIES = 8;

/** The colour of a table. */
export function seriesOf(table: string, tables: readonly string[]): string {
  return `--series-${(Math.max(0, tables.indexOf(table)) % SERIES) + 1}`;
}
