// What the server knows, of a database of its own: a directory.
import { openSync } from 'driftdb/sync';

export const prerender = false;

export function load() {
  const db = openSync({ dir: process.env.NOTES, readOnly: true });
  const { rows, seq } = db.query('SELECT id, text FROM notes ORDER BY id');
  db.close();
  return { rows: [...rows], seq };
}
