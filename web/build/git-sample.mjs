// This project's git history as event lines: a transaction a commit, a row a file. Without git there is none, and the sample is left out.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

async function git(...args) {
  const { stdout } = await run('git', ['-C', root, ...args], { maxBuffer: 256 << 20 });
  return stdout;
}

/** The history as event lines; undefined where there is no git or no history. */
export async function gitSample() {
  try {
    return eventLines(await git('log', '--first-parent', '--reverse', '--no-renames', '--numstat', '--summary', '--format=%x01%ct%x02%an%x02%s'));
  } catch {
    return undefined;
  }
}

/** What `git log` said as event lines. */
export function eventLines(log) {
  const lines = ['{"driftdb":1}', '{"create":"files","pk":"path","index":["folder"]}'];
  const files = new Map();
  for (const commit of log.split('\x01').slice(1)) {
    const [head, ...body] = commit.split('\n');
    const [seconds, by, why] = head.split('\x02');
    const deleted = new Set(body.map((line) => /^ delete mode \d+ (.+)$/.exec(line)?.[1]).filter(Boolean));
    const events = body.map((line) => /^(\d+|-)\t(\d+|-)\t(.+)$/.exec(line)).filter(Boolean).map(([, added, removed, path]) => event(files, path, Number(added) || 0, Number(removed) || 0, deleted.has(path)));
    events.forEach((one, at) => lines.push(JSON.stringify({ ...one, ts: Number(seconds) * 1000, by, why, ...(at < events.length - 1 && { more: true }) })));
  }
  return `${lines.join('\n')}\n`;
}

function event(files, path, added, removed, isDeleted) {
  const before = files.get(path);
  if (isDeleted) {
    files.delete(path);
    return { table: 'files', op: 'delete', key: path };
  }
  const now = { lines: (before?.lines ?? 0) + added - removed, changes: (before?.changes ?? 0) + 1 };
  files.set(path, now);
  if (before !== undefined) return { table: 'files', op: 'patch', key: path, patch: now };
  const folder = path.includes('/') ? path.split('/')[0] : '.';
  return { table: 'files', op: 'insert', key: path, doc: { path, folder, kind: /\.([^./]+)$/.exec(path)?.[1] ?? null, ...now } };
}
