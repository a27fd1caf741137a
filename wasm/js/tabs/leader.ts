// The tab that holds the files, as the others see it: a host whose clients are tabs.

import { Calls } from '../host/calls.js';
import type { Host } from '../host/host.js';
import type { Answer, Call } from '../protocol.js';
import { type Ask, type Hello, type Tell, pairChannel, tabLock } from './messages.js';

interface Member {
  channel: BroadcastChannel;
  calls: Calls;
  /** Ends the wait for the member's end. */
  watch: AbortController;
  hello: Hello;
}

/** The clients of a host that are other tabs. */
export class Leader {
  readonly host: Host;
  readonly #group: string;
  readonly #id: string;
  /** Whether commits are not durable when they return. */
  readonly #batch: boolean;
  readonly #members = new Map<string, Member>();
  /** What is under way and ends by itself. */
  readonly #active = new Set<Promise<unknown>>();
  #numbers = 0;
  #stopped = false;

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
      const answer = await this.call(client, call, signal);
      if (this.#batch && hello.durable && (call.op === 'script' || call.op === 'table' || call.op === 'commit')) await this.call(client, { op: 'flush' });
      return answer;
    });
    channel.onmessage = ({ data }: MessageEvent<Ask>) => {
      // What is not answered is asked of the next leader.
      if (this.#stopped) return;
      if ('ping' in data) post({ pong: true });
      else if ('call' in data && Date.now() > data.until) post({ id: data.id, error: { code: 'busy', message: 'the call came too late: nobody waits for it any more' } });
      else void calls.receive(data);
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
  async call(client: number, call: Call, signal?: AbortSignal): Promise<Answer> {
    const running = this.host.call(client, call, signal);
    // The wait for a feed's next piece may never end.
    if (call.op === 'more') return running;
    this.#active.add(running);
    try {
      return await running;
    } finally {
      this.#active.delete(running);
    }
  }

  /** Takes no calls any more, and ends with those that it has taken if there is time for them. */
  async stop(drain: boolean): Promise<void> {
    if (drain) {
      this.#stopped = true;
      while (this.#active.size > 0) await Promise.allSettled(this.#active);
    }
    this.#stopped = true;
    for (const { channel, watch } of this.#members.values()) {
      channel.close();
      watch.abort();
    }
    this.#members.clear();
    await this.host.close();
  }
}
