// The tab that holds the files, as the others see it: a host whose clients are tabs.

import { Calls } from '../host/calls.js';
import type { Host } from '../host/host.js';
import type { Signal } from '../host/stop.js';
import type { Answer, Call } from '../protocol.js';
import { type Ask, type Hello, type Tell, pairChannel, tabLock } from './messages.js';

/** A call that runs longer than this is no short one. Milliseconds. */
const SHORT_MS = 100;

interface Member {
  channel: BroadcastChannel;
  calls: Calls;
  /** Ends the wait for the member's end. */
  watch: AbortController;
  hello: Hello;
}

/** After these a tab that asked for it finds durable what was committed. */
const COMMITTING: readonly Call['op'][] = ['script', 'table', 'commit', 'load'];

/** The clients of a host that are other tabs. */
export class Leader {
  readonly host: Host;
  readonly #group: string;
  readonly #id: string;
  /** Whether commits are not durable when they return. */
  readonly #batch: boolean;
  readonly #members = new Map<string, Member>();
  /** What is under way and ends by itself, and since when. */
  readonly #active = new Map<Promise<unknown>, number>();
  #numbers = 0;
  #stopped = false;
  /** What was asked while it was about to go: not taken, or taken after all. */
  #held: (() => void)[] | undefined;

  constructor(host: Host, group: string, id: string, batch: boolean) {
    this.host = host;
    this.#group = group;
    this.#id = id;
    this.#batch = batch;
  }

  /** Whether one of the other tabs is seen. */
  get anyVisible(): boolean {
    return [...this.#members.values()].some(({ hello }) => hello.visible);
  }

  /** Whether something would end with it, or would be waited for by all tabs if no more calls were taken. */
  get busy(): boolean {
    const short = performance.now() - SHORT_MS;
    return this.host.busy || [...this.#active.values()].some((since) => since < short);
  }

  /** A tab is there, or has something new to say of itself. */
  hello(from: string, hello: Hello): void {
    const known = this.#members.get(from);
    if (known !== undefined) known.hello = hello;
    else if (!this.#stopped) this.#members.set(from, this.#welcome(from, hello));
  }

  #welcome(from: string, hello: Hello): Member {
    const client = ++this.#numbers;
    const channel = pairChannel(this.#group, this.#id, from);
    const post = (message: Tell): void => {
      if (this.#members.get(from)?.channel === channel) channel.postMessage(message);
    };
    const calls = new Calls(post, async (call, signal) => {
      try {
        return await this.call(client, call, signal);
      } finally {
        // Also what was committed before an error.
        if (this.#batch && hello.durable && COMMITTING.includes(call.op)) await this.call(client, { op: 'flush' });
      }
    });
    channel.onmessage = ({ data }: MessageEvent<Ask>) => {
      if ('ping' in data) post({ pong: true });
      else take(data);
    };
    const take = (data: Exclude<Ask, { ping: true }>): void => {
      // What is not answered is asked of the next leader.
      if (this.#stopped || this.#members.get(from)?.channel !== channel) return;
      if (this.#held !== undefined) this.#held.push(() => take(data));
      else if ('call' in data && Date.now() > data.until && !isEnd(data.call)) post({ id: data.id, error: { code: 'busy', message: 'the call came too late: nobody waits for it any more' } });
      // Until the answer is on its way: after its channel is closed nobody would hear it.
      else void this.#until(calls.receive(data), data);
    };
    const watch = new AbortController();
    // It is given when the tab is no more.
    const gone = navigator.locks.request(tabLock(this.#group, from), { signal: watch.signal }, () => this.#gone(from, client));
    gone.catch(() => {});
    return { channel, calls, watch, hello };
  }

  #gone(from: string, client: number): void {
    const member = this.#members.get(from);
    if (member === undefined || this.#stopped) return;
    this.#members.delete(from);
    member.channel.close();
    // Before its transaction is taken back: nothing of it may go on outside.
    member.calls.abort();
    this.host.leave(client);
  }

  /** Answers a call of a client. */
  async call(client: number, call: Call, signal?: Signal): Promise<Answer> {
    return this.#until(this.host.call(client, call, signal), { call });
  }

  async #until<T>(running: Promise<T>, asked: { call: Call } | { abort: true }): Promise<T> {
    // The wait for a feed's next piece may never end.
    if ('call' in asked && asked.call.op === 'more') return running;
    this.#active.set(running, performance.now());
    try {
      return await running;
    } finally {
      this.#active.delete(running);
    }
  }

  /** Takes no calls until those that it has taken are answered; whether it may end now. It may not if one of them turns out to be a long one or has opened something: all goes on then. */
  async drain(ms = SHORT_MS): Promise<boolean> {
    const held: (() => void)[] = (this.#held = []);
    let late = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))).then(() => void (late = true));
    while (this.#active.size > 0 && !late) await Promise.race([time, Promise.allSettled(this.#active.keys())]);
    clearTimeout(timer);
    if (this.#active.size === 0 && !this.host.busy) return true;
    this.#held = undefined;
    for (const take of held) take();
    return false;
  }

  /** Ends, and what is under way with it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { channel, watch } of this.#members.values()) {
      channel.close();
      watch.abort();
    }
    this.#members.clear();
    await this.host.close();
  }
}

/** Whether a call ends something, which has to end also if nobody waits for the answer. */
function isEnd(call: Call): boolean {
  return call.op === 'rollback' || call.op === 'cancel' || (call.op === 'importEnd' && !call.whole);
}
