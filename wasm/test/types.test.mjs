// What the package declares, as a strict program sees it: its types check without skipLibCheck, and say what they should.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

test('a typed program', () => {
  const dir = mkdtempSync(join(tmpdir(), 'driftdb-types-'));
  try {
    mkdirSync(join(dir, 'node_modules'));
    symlinkSync(root, join(dir, 'node_modules', 'driftdb'));
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    writeFileSync(join(dir, 'a.ts'), `
      import { DriftError, open, type ErrorCode } from 'driftdb';
      import { openSync } from 'driftdb/sync';
      interface Order { id: string; total: number }
      const db = await open({ name: 'shop', integers: 'auto' });
      const order: Order | undefined = await db.table<Order>('orders').get('o1', { asOf: { seq: 1 } });
      const { rows } = await db.query<Order>('SELECT * FROM orders WHERE id = ?', ['o1'], { signal: new AbortController().signal });
      const total: number = rows[0]!.total;
      const seven: number = await db.transaction(async (tx) => { await tx.exec('ROLLBACK'); return 7; }, { by: 'ann' });
      for await (const row of db.stream<Order>('SELECT * FROM orders')) row.total.toFixed();
      // @ts-expect-error there is no such member
      rows[0]!.nothing;
      // @ts-expect-error a function is no parameter
      await db.query('SELECT ?', [() => 0]);
      const local = openSync({ dir: 'x' });
      const past: Order | undefined = local.asOf({ seq: 1 }).table<Order>('orders').get('o1');
      const live = local.live<Order>('SELECT * FROM orders WHERE id = ?', ['o1'], ({ rows }) => rows[0]!.total.toFixed(), { asOf: '@seq:1', onError: ({ code }) => code });
      const commits: number[] = [...local.changes({ since: 0 })].map(({ seq }) => seq);
      const written: number = local.prepare('DELETE').exec([], { by: 'ann' }).events + local.transaction((tx) => tx.table('t').delete(1).seq);
      // @ts-expect-error nothing can be aborted that is over when it returns
      local.query('SELECT * FROM t', [], { signal: new AbortController().signal });
      // @ts-expect-error an answer is no promise
      local.table('t').get(1).then();
      const codes: ErrorCode[] = ['busy'];
      export { DriftError, codes, commits, live, local, order, past, seven, total, written };
    `);
    writeFileSync(join(dir, 'hooks.ts'), `
      import { open } from 'driftdb/inline';
      import { type LiveState, useLiveQuery } from 'driftdb/react';
      import { useLiveQuery as useInVue } from 'driftdb/vue';
      const db = await open({ name: 'shop', migrations: ['CREATE TABLE t (pk=id)', async (tx) => { await tx.table('t').insert({ id: 1 }); }] });
      const state: LiveState<{ id: number }> = useLiveQuery<{ id: number }>('SELECT id FROM t', [], { asOf: new Date(), db });
      const ids: number[] = useInVue<{ id: number }>(() => 'SELECT id FROM t', undefined, { db: () => db }).value.rows.map(({ id }) => id);
      // @ts-expect-error a number is no migration
      await open({ name: 'shop', migrations: [7] });
      export { ids, state };
    `);
    // Every declaration that is in the package, also what no entry leads to, so that whatever one refers to has to be there.
    const dist = join(dir, 'node_modules/driftdb/dist');
    const all = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.d.ts'));
    if (all.length < 10) throw new Error('the package has no declarations');
    const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2023,esnext.disposable,dom,dom.iterable,dom.asynciterable', '--types', ''];
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'a.ts', 'hooks.ts', ...all.map((name) => join(dist, name))], { cwd: dir, encoding: 'utf8' });
  } catch (error) {
    throw new Error(`${error.stdout ?? ''}${error.stdout ? '' : error.message}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
