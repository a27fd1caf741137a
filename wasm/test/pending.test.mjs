// What tabs and their leader say to one another, taken out of the package: calls that nobody waits for any more, and a leader that is about to go.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { hostParts } from './host.mjs';
import { until } from './support.mjs';

let parts;

before(async () => {
  parts = await hostParts();
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 50));
const silence = () => new Error('silence');

test('what a call opens that has expired is ended when its late answer comes', async () => {
  const opening = [
    [{ op: 'begin' }, { op: 'rollback', tx: 7 }],
    [{ op: 'import' }, { op: 'importEnd', import: 7, whole: false }],
    [{ op: 'stream', call: {}, bytes: 1 }, { op: 'cancel', feed: 7 }],
    [{ op: 'live', call: {} }, { op: 'cancel', feed: 7 }],
    [{ op: 'changes' }, { op: 'cancel', feed: 7 }],
    [{ op: 'stats' }, undefined],
  ];
  for (const [call, end] of opening) {
    const pending = new parts.Pending(new parts.Lanes('x'), 0);
    const aborted = [];
    const answer = pending.add(call, undefined, (id) => aborted.push(id));
    const [{ id }] = pending.take(false);
    await settled();
    pending.expire(0, silence);
    await assert.rejects(answer, { message: 'silence' });
    assert.deepEqual(aborted, [id], 'its leader is told');
    pending.settle({ id, answer: 7 });
    assert.deepEqual([...pending.take(false)].map(({ call }) => call), end === undefined ? [] : [end], call.op);
    pending.settle({ id, answer: 7 });
    assert.deepEqual([...pending.take(false)], [], 'once');
  }
});

test('what has expired is not ended at another leader, and what was aborted is not sent', async () => {
  const pending = new parts.Pending(new parts.Lanes('x'), 0);
  const answer = pending.add({ op: 'begin' }, undefined, () => {});
  const [{ id }] = pending.take(false);
  await settled();
  pending.expire(0, silence);
  await assert.rejects(answer);
  pending.unsent();
  pending.settle({ id, answer: 7 });
  const controller = new AbortController();
  const more = pending.add({ op: 'more', feed: 1 }, controller.signal, () => {});
  const [sent] = pending.take(true);
  controller.abort(new Error('enough'));
  pending.again(sent.id);
  assert.deepEqual([...pending.take(false)], []);
  await assert.rejects(more, { message: 'enough' });
});

/** A leader whose host answers when it is told to, and a member of its. `ask` resolves when its message has come to something: one more call, or one more thing heard. */
async function pair(name, batch = false) {
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { locks: { request: () => new Promise(() => {}) } } });
  const calls = [];
  const host = { busy: false, call: (_, call) => new Promise((resolve, reject) => calls.push({ call, resolve, reject })), close: async () => {}, leave() {} };
  const leader = new parts.Leader(host, name, 'leader', batch);
  leader.hello('member', { visible: true, durable: true });
  const channel = parts.pairChannel(name, 'leader', 'member');
  const heard = [];
  channel.onmessage = ({ data }) => heard.push(data);
  const ask = async (message) => {
    const before = calls.length + heard.length;
    channel.postMessage(message);
    await until(() => calls.length + heard.length > before);
  };
  return { leader, host, calls, heard, ask, post: (message) => channel.postMessage(message), close: () => channel.close() };
}

test('what ends something is done however late it comes', async () => {
  const { leader, calls, heard, ask, close } = await pair('late');
  const late = (id, call) => ask({ id, call, until: Date.now() - 1 });
  await late(1, { op: 'script', text: '' });
  await late(2, { op: 'commit', tx: 1 });
  await late(3, { op: 'importEnd', import: 1, whole: true });
  assert.deepEqual(heard.map(({ error }) => error.code), ['busy', 'busy', 'busy']);
  await late(4, { op: 'rollback', tx: 1 });
  await late(5, { op: 'cancel', feed: 1 });
  await late(6, { op: 'importEnd', import: 1, whole: false });
  assert.deepEqual(calls.map(({ call }) => call.op), ['rollback', 'cancel', 'importEnd']);
  await leader.stop();
  close();
});

test('a leader that goes answers what it has taken, gives signs of life until then, and waits for no long call', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const { leader, calls, heard, ask, post, close } = await pair('drain');
  await ask({ id: 1, call: { op: 'stats' }, until: Date.now() + 60_000 });
  assert.equal(leader.busy, false, 'the call may be a short one');
  now += 200;
  assert.equal(leader.busy, true, 'it is a long one');
  const drained = leader.drain(60_000);
  await ask({ ping: true });
  assert.deepEqual(heard, [{ pong: true }]);
  post({ id: 2, call: { op: 'stats' }, until: Date.now() + 60_000 });
  // What comes after it has been heard.
  await ask({ ping: true });
  assert.equal(calls.length, 1, 'it takes no more');
  calls[0].resolve(42);
  assert.equal(await drained, true);
  await leader.stop();
  await until(() => heard.length > 2);
  assert.deepEqual(heard.slice(1), [{ pong: true }, { id: 1, answer: 42 }]);
  close();
});

test('what a leader commits without making it durable is durable before a tab that asked for that is answered, also with an error', async () => {
  const { leader, calls, heard, ask, post, close } = await pair('batch', true);
  const deadline = Date.now() + 60_000;
  const ends = [
    [{ op: 'load', lines: '' }, (one) => one.resolve(7), { answer: 7 }],
    [{ op: 'load', lines: '' }, (one) => one.reject(Object.assign(new Error('half'), { code: 'invalid_input' })), 'error'],
    [{ op: 'script', text: '' }, (one) => one.reject(Object.assign(new Error('half'), { code: 'duplicate_key' })), 'error'],
    [{ op: 'commit', tx: 1 }, (one) => one.resolve(8), { answer: 8 }],
  ];
  for (const [at, [call, end, told]] of ends.entries()) {
    await ask({ id: at, call, until: deadline });
    end(calls.at(-1));
    await until(() => calls.at(-1).call.op === 'flush');
    post({ ping: true });
    await until(() => heard.at(-1)?.pong);
    assert.equal(heard.filter(({ id }) => id === at).length, 0, 'not before that');
    calls.at(-1).resolve(null);
    await until(() => heard.at(-1).id === at);
    if (told !== 'error') assert.deepEqual(heard.at(-1), { id: at, ...told });
    else assert.notEqual(heard.at(-1).error, undefined);
  }
  await ask({ id: 9, call: { op: 'stats' }, until: deadline });
  calls.at(-1).resolve(9);
  await until(() => heard.at(-1).id === 9);
  assert.equal(calls.at(-1).call.op, 'stats', 'who only reads waits for nothing');
  await leader.stop();
  close();
});

test('a leader whose last call is a long one does not go, and takes what was asked meanwhile', async () => {
  const { leader, host, calls, heard, ask, close } = await pair('long');
  await ask({ id: 1, call: { op: 'verify' }, until: Date.now() + 60_000 });
  assert.equal(calls.length, 1);
  const drained = leader.drain();
  await ask({ id: 2, call: { op: 'stats' }, until: Date.now() + 60_000 });
  assert.equal(await drained, false);
  assert.deepEqual(calls.map(({ call }) => call.op), ['verify', 'stats']);
  calls[1].resolve(7);
  await until(() => heard.length > 0);
  assert.deepEqual(heard, [{ id: 2, answer: 7 }], 'and answers it');
  const again = leader.drain(60_000);
  // What opens something just now would end with it.
  host.busy = true;
  calls[0].resolve(null);
  assert.equal(await again, false);
  host.busy = false;
  assert.equal(await leader.drain(), true);
  await leader.stop();
  close();
});
