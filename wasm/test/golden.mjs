// The event lines of tests/same, and what the file is that a database of them exports which was made by fixed-clock.mjs: on every storage.

import { readFileSync } from 'node:fs';

/** The lines. */
export const lines = readFileSync(new URL('../../tests/same/events.jsonl', import.meta.url), 'utf8');
/** The file's SHA-256. */
export const sum = 'a8edd7ea87171243bdaeaa806cc54c7659fd48f8273be940aa6dc675f3413671';
