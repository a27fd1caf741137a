// The words of DriftQL: what is coloured and what is offered. docs/DRIFTQL.md is the truth.

/** Words that can begin a statement, with what the statement does. */
export const STATEMENTS: Readonly<Record<string, string>> = {
  'SELECT': 'rows of a table, now or at any moment',
  'SHOW DRIFT': 'the history of one row',
  'SHOW TABLES': 'what tables there are',
  'DESCRIBE': 'what is known of a table',
  'DIFF': 'rows that differ between two moments',
  'EXPLAIN': 'how a SELECT would run',
  'INSERT INTO': 'adds rows',
  'UPSERT INTO': 'adds rows or replaces them',
  'PATCH': 'changes members of a row',
  'SOFT DELETE FROM': 'ends a row; its history stays',
  'RESTORE': 'makes a row what it was',
  'CREATE TABLE': 'a new table',
  'BEGIN WITH': 'a transaction, with who and why',
  'COMMIT': 'ends the transaction and keeps it',
  'ROLLBACK': 'ends the transaction and drops it',
  'SNAPSHOT': 'writes the state, so that scans are fast',
  'COMPACT': 'drops history',
};

/** Words inside of statements. */
export const CLAUSES = [
  'FROM', 'WHERE', 'AS OF', 'GROUP BY', 'ORDER BY', 'LIMIT', 'OFFSET', 'AND', 'OR', 'NOT', 'IN', 'LIKE', 'ESCAPE', 'BETWEEN', 'IS NULL',
  'IS NOT NULL', 'ASC', 'DESC', 'AS', 'KEY', 'SET', 'TO', 'KEEP SINCE', 'INDEX', 'IF NOT EXISTS', 'true', 'false', 'null',
] as const;

/** The functions, with what they give. */
export const FUNCTIONS: Readonly<Record<string, string>> = {
  COUNT: 'how many', SUM: 'the sum', AVG: 'the mean', MIN: 'the first in order', MAX: 'the last in order',
};

const words = [...Object.keys(STATEMENTS), ...CLAUSES, 'PK', 'TABLES'].flatMap((text) => text.toUpperCase().split(' '));

/** Every word that is coloured as a keyword. */
export const KEYWORDS: ReadonlySet<string> = new Set(words.filter((word) => !['TRUE', 'FALSE', 'NULL'].includes(word)));

/** Names that must stand in backticks. */
export const RESERVED: ReadonlySet<string> = new Set(
  ('SELECT FROM WHERE GROUP ORDER LIMIT OFFSET AS AND OR NOT IN LIKE ESCAPE BETWEEN IS NULL TRUE FALSE ASC DESC '
    + 'HAVING JOIN ON UNION DISTINCT CASE WHEN THEN ELSE EXISTS').split(' '),
);

/** A name as DriftQL writes it. */
export function quoteName(name: string): string {
  if (/^[\p{L}_][\p{L}\p{N}_$]*$/u.test(name) && !RESERVED.has(name.toUpperCase())) return name;
  return `\`${name.replaceAll('`', '``')}\``;
}
