// The language suite through the package, over directories in Node.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSync } from '../dist/sync.js';
import { runFile } from './slt.mjs';

const suite = fileURLToPath(new URL('../../tests/suite/', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'driftdb-suite-'));
after(() => rmSync(home, { recursive: true }));

const files = readdirSync(suite).filter((name) => name.endsWith('.slt'));
assert.ok(files.length >= 28, 'the suite is there');

for (const name of files) {
  test(`suite: ${name}`, () => {
    const dir = join(home, name);
    const report = runFile(readFileSync(join(suite, name), 'utf8'), (options) => openSync({ dir, ...options }), true);
    assert.deepEqual(report.failures, []);
    assert.ok(report.records > 0 && report.left === 0);
  });
}
