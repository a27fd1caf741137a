// What tabs say to one another: notices that all hear, and what passes between a member and its leader. A notice of any version says which one
// it is of, who speaks and what is said; the rest is for those of the same version.

import type { Answer, Call, Storage } from '../protocol.js';
import type { ErrorData } from '../errors.js';

/** Heard by every tab that has the database open. */
export interface Notice {
  /** The protocol that the speaker speaks. */
  driftdb: number;
  from: string;
  /**
   * hello: a member is there and looks for the leader. leader: it is there, and answers one hello or all tabs. resign: the leader is about to go, because it is
   * hidden and another tab is not.
   */
  what: 'hello' | 'leader' | 'resign';
  /** Of a leader's answer: whom it is for. */
  to?: string;
  hello?: Hello;
  storage?: Storage;
}

/** What a member says of itself. */
export interface Hello {
  visible: boolean;
  /** Whether its commits are durable when they return. */
  durable: boolean;
}

/** From a member to its leader. */
export type Ask =
  /** After `until`, in unix milliseconds, nobody waits for the answer any more. */
  | { id: number; call: Call; until: number }
  | { id: number; abort: true }
  | { ping: true };

/** From a leader to a member. */
export type Tell = { id: number; answer: Answer } | { id: number; error: ErrorData } | { pong: true };

/** The name of the channel and the start of the names of all locks of a database. */
export function groupOf(name: string, storage: Storage | undefined): string {
  return `driftdb/${name}/${storage === 'indexeddb' ? storage : ''}`;
}

/** The lock that the leader holds. */
export function leaderLock(group: string): string {
  return `${group}/leader`;
}

/** The lock that a tab holds as long as it is there. */
export function tabLock(group: string, tab: string): string {
  return `${group}/tab/${tab}`;
}

/** The channel between a leader and a member. */
export function pairChannel(group: string, leader: string, member: string): BroadcastChannel {
  return new BroadcastChannel(`${group}/${leader}/${member}`);
}
