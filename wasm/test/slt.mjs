// The language suite (tests/suite, sqllogictest) through the package: what tests/src/suite.rs says of the files holds here. It runs wherever the package
// runs, so it takes texts and a way to open.
//
// The clock stands still but for a second a statement: Date.now is replaced, which the engine asks once a statement.

const START = 1_767_225_600_000;

/** The records of a file. */
function* records(text) {
  for (const block of text.split(/\n{2,}/)) {
    const lines = block.split('\n').filter((line, at, all) => !line.startsWith('#') || all.slice(0, at).some((before) => /^(statement|query)/.test(before)));
    const record = { connection: 'rows', run: true };
    while (lines.length > 0 && !/^(statement|query)\b/.test(lines[0])) {
      const [word, name] = lines.shift().split(' ');
      if (word === 'connection') record.connection = name;
      else if (word === 'onlyif') record.run &&= name === 'plain';
      else if (word === 'skipif') record.run &&= name !== 'plain';
      else if (word !== '' && word !== undefined) throw new Error(`what is ${word}?`);
    }
    if (lines.length === 0) continue;
    const [, kind, rest] = /^(statement|query) ?(.*)$/.exec(lines.shift());
    const split = lines.indexOf('----');
    record.kind = kind;
    record.expects = rest;
    record.script = (split < 0 ? lines : lines.slice(0, split)).join('\n').trimEnd();
    record.answer = split < 0 ? undefined : lines.slice(split + 1).filter((line, at, all) => line !== '' || at < all.length - 1);
    if (split < 0 && rest === 'error') record.answer = undefined;
    yield record;
  }
}

const json = (value) => JSON.stringify(value, (_, it) => (typeof it === 'bigint' ? `\u0001${it}\u0001` : it)).replace(/"\\u0001(-?\d+)\\u0001"/g, '$1');

function isPlain(text) {
  if (text === '' || text === 'NULL' || text.trim() !== text || /[\u0000-\u001f\u007f-\u009f]/.test(text)) return false;
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

const cell = (value) => (value === null ? 'NULL' : typeof value === 'string' && isPlain(value) ? value : json(value));

/** Numbers as JavaScript writes them, which does not tell 1.0 from 1; texts stay. */
const numbers = (text) => text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (it) => (/^"/.test(it) || !/[.eE]/.test(it) ? it : String(Number(it))));

function shown(error) {
  const at = error.position?.column === undefined ? '' : ` (at ${error.position.line}:${error.position.column})`;
  return `${error.code}: ${error.message}${at}${error.hint === undefined ? '' : `\nhint: ${error.hint}`}`;
}

/** Runs a file: `open({readOnly})` opens its database, which is empty at first; without readers, records for one are left out. */
export function runFile(text, open, readers) {
  const failures = [];
  const now = Date.now;
  let statements = 0;
  Date.now = () => START + 1000 * statements++;
  const report = { records: 0, left: 0, failures };
  const db = open({ readOnly: false });
  statements = 0;
  try {
    const all = [...records(text)];
    // A transaction over several records is one callback over them.
    const run = (handle, at, inside) => {
      while (at < all.length) {
        const record = all[at++];
        if (!record.run) continue;
        if (record.connection === 'reader' && !readers) {
          report.left += 1;
          statements += 1;
          continue;
        }
        report.records += 1;
        const begin = !inside && opens(record.script) && (!record.expects.startsWith('error') || record.script.includes(';'));
        if (begin) at = transaction(record, at);
        else if (inside && /^(COMMIT|ROLLBACK)\s*;?$/i.test(record.script)) return { at, commit: /^C/i.test(record.script), record };
        else if (record.connection === 'reader') check(record, () => reading((reader) => reader.query(record.script)));
        else check(record, () => handle.query(record.script));
      }
      return { at };
    };
    const reading = (action) => {
      const before = statements;
      const reader = open({ readOnly: true });
      statements = before;
      try {
        return action(reader);
      } finally {
        reader.close();
        // Opening and asking who writes look at the clock, too.
        statements = before + 1;
      }
    };
    const transaction = (record, at) => {
      const script = record.script.replace(/^BEGIN/i, '').trim();
      const [, meta, rest] = /^(?:WITH\s+(\{.*?\}))?\s*(?:;([\s\S]*))?$/i.exec(script) ?? [];
      statements += 1;
      let end;
      const { by, why, ...others } = meta === undefined ? {} : JSON.parse(meta);
      const rolledBack = {};
      try {
        db.transaction((tx) => {
          if (rest?.trim()) check(record, () => tx.query(rest));
          end = run(tx, at, true);
          if (!end.commit) throw rolledBack;
        }, { ...(by !== undefined && { by }), ...(why !== undefined && { why }), meta: others });
      } catch (error) {
        if (error !== rolledBack) throw error;
        statements += 1;
      }
      return end.at;
    };
    const check = (record, action) => {
      let answer;
      let error;
      const before = statements;
      try {
        answer = action();
        void answer.rows;
      } catch (caught) {
        if (caught?.name !== 'DriftError') throw caught;
        error = caught;
        // What is refused before it comes to the engine counts, too.
        if (statements === before) statements += 1;
      }
      const wrong = compare(record, answer, error);
      if (wrong !== undefined) failures.push(`${record.script.slice(0, 300)}\n  ${wrong}`);
    };
    run(db, 0, false);
  } finally {
    Date.now = now;
    db.close();
  }
  return report;
}

/** Whether a script begins a transaction that it does not end. */
function opens(script) {
  return /^BEGIN\b/i.test(script) && !/\b(COMMIT|ROLLBACK)\s*;?\s*$/i.test(script);
}

function compare({ kind, expects, answer, connection }, result, error) {
  const [word, ...more] = expects.split(' ');
  if (word === 'error') {
    const pattern = more.join(' ') || undefined;
    if (error === undefined) return 'no error';
    if (answer !== undefined && shown(error).trim() !== answer.join('\n').trim()) return `error ${shown(error)}`;
    if (pattern !== undefined && !new RegExp(pattern).test(shown(error))) return `error ${shown(error)}, not ${pattern}`;
    return undefined;
  }
  if (error !== undefined) return `error ${shown(error)}`;
  if (kind === 'statement') {
    return word === 'count' && (result.events ?? 0) !== Number(more[0]) ? `${result.events} events, not ${more[0]}` : undefined;
  }
  const { columns, rows } = result;
  const lines = rows.map((row) => (columns === null ? json(row) : columns.map((name) => cell(row[name])).join(' ')));
  if (connection === 'columns') lines.unshift((columns ?? ['*']).join(' '));
  const wanted = answer ?? [];
  if (word.length !== (columns?.length ?? 1)) return `${columns?.length} columns, not ${word.length}`;
  const same = lines.length === wanted.length && lines.every((line, at) => line === wanted[at] || numbers(line) === numbers(wanted[at]));
  return same ? undefined : `got ${JSON.stringify(lines)}, not ${JSON.stringify(wanted)}`;
}
