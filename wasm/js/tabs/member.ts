// One tab of those that have a database open. Whoever gets the leader's lock holds the files; the others send it their calls. A call that is not answered
// when the leader goes is sent to the next one.

import { DriftError, fail } from '../errors.js';
import { Host, type Opener } from '../host/host.js';
import type { Desk } from '../host/serve.js';
import type { Signal } from '../host/stop.js';
import { InIndexedDb } from '../platform/open.js';
import { type Answer, type Call, PROTOCOL, type Place, type Storage } from '../protocol.js';
import { Lanes } from './lanes.js';
import { Leader } from './leader.js';
import { type Ask, type Notice, type Tell, groupOf, leaderLock, pairChannel, tabLock } from './messages.js';
import { Pending } from './pending.js';

/** A leader that has said nothing for this time, or for the busyTimeout if that is longer, is taken for frozen. Milliseconds. */
const SILENCE_MS = 1_000;
/** How often a leader is asked for a sign of life by who waits for an answer. */
const PING_MS = 500;
/** How often until it has answered for the first time. */
const LINK_MS = 100;
/** A leader whose page is hidden goes after this time if another tab is seen. */
const HIDDEN_MS = 2_000;
/** A tab whose page is hidden lets others go first for this time. */
const YIELD_MS = 500;
/** How long the files of a leader that has gone may take to be free. */
const TAKEOVER_MS = 5_000;
const SELF = 0;

interface Remote {
  id: string;
  channel: BroadcastChannel;
  linked: boolean;
  /** When it was heard last. */
  heard: number;
}

interface Right {
  leader: Leader;
  /** The leader's name, another one each time that this tab leads: calls of its members are of one term. */
  name: string;
  /** Gives the leader's lock back. */
  release(): void;
}

/** A tab's desk. */
export class Member implements Desk {
  storage: Storage = 'opfs';
  readonly #place: Place;
  readonly #opener: Opener;
  readonly #group: string;
  readonly #id = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  readonly #channel: BroadcastChannel;
  readonly #silence: number;
  readonly #pending: Pending;
  readonly #life = new AbortController();
  #visible: boolean;
  #campaign: AbortController | undefined;
  #right: Right | undefined;
  /** That right while it is about to be given away. */
  #leaving: Right | undefined;
  #remote: Remote | undefined;
  /** Settles the opening. */
  #opened: { resolve(): void; reject(error: unknown): void } | undefined;
  /** Whether this tab has the lock and opens the files. */
  #opening = false;
  /** Set while a leader of another version has the database. */
  #refused: DriftError | undefined;
  /** Why this tab could not take over, until somebody has. */
  #fault: unknown;
  #handing: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  #terms = 0;

  private constructor(place: Place, opener: Opener) {
    this.#place = place;
    this.#opener = opener;
    this.#group = groupOf(place.name!, place.storage);
    this.#visible = place.visible !== false;
    this.#silence = Math.max(place.wait, SILENCE_MS);
    this.#pending = new Pending(new Lanes(this.#id), this.#silence);
    this.#channel = new BroadcastChannel(this.#group);
    this.#channel.onmessage = ({ data }: MessageEvent<Notice>) => this.#hear(data);
  }

  /** Opens a database that other tabs may have open. */
  static async open(place: Place, opener: Opener): Promise<Member> {
    const member = new Member(place, opener);
    try {
      await member.#join();
    } catch (error) {
      await member.close();
      // Those who have asked for IndexedDB are the same group.
      if (error instanceof InIndexedDb && place.storage === undefined) return Member.open({ ...place, storage: 'indexeddb', fallen: true }, opener);
      throw error;
    }
    return member;
  }

  async #join(): Promise<void> {
    await new Promise<void>((resolve) => {
      void navigator.locks.request(tabLock(this.#group, this.#id), () => {
        resolve();
        return new Promise<void>((release) => this.#life.signal.addEventListener('abort', () => release()));
      });
    });
    await new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#run();
      this.#hello();
      setTimeout(() => {
        // Opening the files takes what it takes.
        if (!this.#opening) reject(frozen());
      }, this.#silence);
    });
    this.#opened = undefined;
    this.#looking = setInterval(() => this.#look(), PING_MS);
  }

  /** Waits for the leader's lock, and leads when it has come. */
  #run(): void {
    if (this.#campaign !== undefined || this.#right !== undefined || this.#life.signal.aborted) return;
    const campaign = (this.#campaign = new AbortController());
    const held = navigator.locks.request(leaderLock(this.#group), { signal: campaign.signal }, () => {
      this.#campaign = undefined;
      return this.#lead();
    });
    held.catch(() => {});
  }

  /** Opens the files and leads; resolves when somebody else may. */
  async #lead(): Promise<void> {
    const first = this.#opened !== undefined;
    let host: Host;
    this.#opening = true;
    try {
      const wait = first ? this.#place.wait : Math.max(this.#place.wait, TAKEOVER_MS);
      host = await Host.open({ ...this.#place, wait, grouped: true }, this.#opener);
    } catch (error) {
      this.#opened?.reject(error);
      if (first) {
        this.#pending.fail(error);
        return;
      }
      // Another tab may have more luck, and whoever has the files in spite of the lock may give them back: who waits is told when it has taken too long.
      this.#fault = error;
      setTimeout(() => this.#run(), SILENCE_MS);
      return;
    } finally {
      this.#opening = false;
    }
    if (this.#life.signal.aborted) return host.close();
    await new Promise<void>((release) => {
      this.#unfollow();
      this.#refused = this.#fault = undefined;
      const name = `${this.#id}.${++this.#terms}`;
      const leader = new Leader(host, this.#group, name, !this.#place.durable);
      this.#right = { leader, name, release };
      this.storage = host.storage;
      this.#opened?.resolve();
      this.#say({ what: 'leader', from: name, storage: host.storage });
      this.#flush();
      this.#handOverLater();
    });
  }

  #say(notice: Omit<Notice, 'driftdb' | 'from'> & { from?: string }): void {
    this.#channel.postMessage({ driftdb: PROTOCOL, from: this.#id, ...notice });
  }

  #hello(): void {
    this.#say({ what: 'hello', hello: { visible: this.#visible, durable: this.#place.durable } });
  }

  #hear(notice: Notice): void {
    if (notice.driftdb !== PROTOCOL) {
      // Who leads says so, that the other learns of it; who only listens has nothing to do with it.
      if (notice.what === 'hello' && this.#right !== undefined) this.#say({ what: 'leader', to: notice.from });
      if (notice.what === 'leader' && (notice.to ?? this.#id) === this.#id) this.#mismatch();
      return;
    }
    switch (notice.what) {
      case 'hello':
        if (this.#right === undefined) return;
        this.#right.leader.hello(notice.from, notice.hello!);
        this.#say({ what: 'leader', from: this.#right.name, to: notice.from, storage: this.storage });
        this.#handOverLater();
        return;
      case 'leader':
        if ((notice.to ?? this.#id) === this.#id) this.#follow(notice.from, notice.storage!);
        return;
      case 'resign':
        if (!this.#visible) this.#stepBack();
    }
  }

  #mismatch(): void {
    const error = fail('protocol', 'another tab has the database open with another version of driftdb', 'reload all tabs of the site');
    this.#refused = error;
    this.#opened?.reject(error);
    this.#unfollow();
    this.#pending.fail(error);
  }

  /** Sends calls to this leader from now on. */
  #follow(id: string, storage: Storage): void {
    if (this.#right !== undefined || this.#remote?.id === id) return;
    this.#unfollow();
    this.#refused = this.#fault = undefined;
    this.storage = storage;
    const channel = pairChannel(this.#group, id, this.#id);
    const remote: Remote = (this.#remote = { id, channel, linked: false, heard: performance.now() });
    channel.onmessage = ({ data }: MessageEvent<Tell>) => {
      remote.heard = performance.now();
      if ('id' in data) this.#pending.settle(data);
      else if (!remote.linked) {
        remote.linked = true;
        this.#opened?.resolve();
      }
      this.#flush();
    };
    const link = (): void => {
      if (remote.linked || this.#remote !== remote) return;
      this.#hello();
      channel.postMessage({ ping: true } satisfies Ask);
      setTimeout(link, LINK_MS);
    };
    link();
  }

  #unfollow(): void {
    this.#remote?.channel.close();
    this.#remote = undefined;
    this.#pending.unsent();
  }

  /** Sends what waits. */
  #flush(): void {
    const remote = this.#remote;
    if (this.#right !== undefined) {
      const { leader } = this.#right;
      for (const one of this.#pending.take(true)) this.#serve(leader, one.id, one.call, one.signal);
    } else if (remote?.linked === true) {
      const until = Date.now() + this.#silence;
      for (const { id, call } of this.#pending.take(false)) remote.channel.postMessage({ id, call, until } satisfies Ask);
    }
  }

  /** Answers a call of this tab's own. */
  #serve(leader: Leader, id: number, call: Call, signal: Signal | undefined): void {
    leader.call(SELF, call, signal).then(
      (answer) => this.#pending.settle({ id, answer }),
      (error: unknown) => {
        // The wait for a feed's next piece ends with its host: the next leader says what becomes of it. Anything else has failed, and may have been done in part.
        const handed = this.#right?.leader !== leader && !this.#life.signal.aborted;
        if (handed && call.op === 'more') this.#pending.again(id);
        else this.#pending.reject(id, error);
      },
    );
  }

  call(call: Call, signal?: Signal): Promise<Answer> {
    if (this.#life.signal.aborted) return Promise.reject(fail('closed', 'the database is closed'));
    if (this.#refused !== undefined) return Promise.reject(this.#refused);
    const answer = this.#pending.add(call, signal, (id) => this.#remote?.channel.postMessage({ id, abort: true } satisfies Ask));
    this.#flush();
    return answer;
  }

  /** Looks after those who wait for an answer. */
  #look(): void {
    if (this.#right !== undefined || !this.#pending.waiting) return;
    this.#remote?.channel.postMessage({ ping: true } satisfies Ask);
    this.#pending.expire(this.#remote?.heard ?? 0, () => this.#fault ?? frozen());
  }

  /** Whether this tab's page is seen. */
  show(visible: boolean): void {
    this.#visible = visible;
    if (this.#right === undefined) this.#hello();
    else this.#handOverLater();
  }

  /** Lets those be first who wait for the leader's lock. */
  #stepBack(): void {
    if (this.#campaign === undefined) return;
    this.#campaign.abort();
    this.#campaign = undefined;
    setTimeout(() => this.#run(), YIELD_MS);
  }

  /** A leader that is hidden goes if another tab is seen. */
  #handOverLater(): void {
    clearTimeout(this.#handing);
    if (this.#right === undefined || this.#visible || !this.#right.leader.anyVisible) return;
    this.#handing = setTimeout(() => void this.#handOver(), HIDDEN_MS);
  }

  async #handOver(): Promise<void> {
    const right = this.#right;
    if (right === undefined) return;
    // Transactions and streams end with the host, and nobody is answered until the last call is.
    if (right.leader.busy) {
      this.#handing = setTimeout(() => void this.#handOver(), LINK_MS);
      return;
    }
    // What this tab asks meanwhile waits, as what the others ask does.
    this.#right = undefined;
    this.#leaving = right;
    this.#say({ what: 'resign' });
    const drained = await right.leader.drain();
    // It was closed meanwhile.
    if (this.#leaving === undefined) return;
    this.#leaving = undefined;
    if (!drained) {
      this.#right = right;
      // Who came meanwhile has not heard of it.
      this.#say({ what: 'leader', from: right.name, storage: this.storage });
      this.#flush();
      this.#handOverLater();
      return;
    }
    try {
      await right.leader.stop();
    } finally {
      right.release();
      setTimeout(() => this.#run(), YIELD_MS);
    }
  }

  /** Leaves: what is under way ends, another tab takes over. */
  async close(): Promise<void> {
    const right = this.#right ?? this.#leaving;
    this.#right = this.#leaving = undefined;
    clearTimeout(this.#handing);
    clearInterval(this.#looking);
    this.#campaign?.abort();
    this.#unfollow();
    this.#pending.fail(fail('closed', 'the database is closed'));
    this.#channel.close();
    try {
      await right?.leader.stop();
    } finally {
      right?.release();
      this.#life.abort();
    }
  }
}

function frozen(): DriftError {
  const hint = 'close or reload the other tab, or try again. A write that was asked for may still be done';
  return fail('busy', 'another tab has the database open and does not answer', hint);
}
