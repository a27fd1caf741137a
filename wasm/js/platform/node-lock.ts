// The writer's lock on a directory, by the rules of docs/FORMAT.md, for a home that has no file locks but sees processes and has timers: the
// claim names this process and keeps a lease.

import { type Fs, isAbsent, isThere, nodeFs } from './node-fs.js';

interface Owner {
  home?: unknown;
  claim?: unknown;
  flock?: unknown;
  pid?: unknown;
  place?: unknown;
  lease?: unknown;
}

interface Claim {
  epoch: bigint;
  owner?: Owner;
}

/** Seconds. The lock is touched four times as often. */
const LEASE = 60;
const TAKING = 10_000;
const TRIES = 20;

/** The lock, held. */
export class NodeLock {
  readonly epoch: bigint;
  readonly #fs: Fs;
  readonly #path: string;
  readonly #text: string;
  /** LOCK as this writer made it: stays the same file, whatever bears the name. */
  readonly #fd: number;
  readonly #timer: { unref?(): void };
  /** By the clock that nobody sets. */
  #touched = performance.now();

  private constructor(path: string, fd: number, claim: Claim, text: string) {
    this.#fs = nodeFs();
    this.#path = path;
    this.#fd = fd;
    this.#text = text;
    this.epoch = claim.epoch;
    this.#timer = setInterval(() => this.#touch(), (LEASE * 1000) / 4) as unknown as { unref?(): void };
    // An open database does not keep the program running.
    this.#timer.unref?.();
  }

  /** Takes the lock of a directory. */
  static take(dir: string): NodeLock {
    const path = `${dir}/LOCK`;
    for (let tries = 1; ; tries++) {
      const taken = tryTake(path);
      if (typeof taken !== 'string') return new NodeLock(path, taken.fd, taken.claim, taken.text);
      if (tries === TRIES) throw taken;
      pause();
    }
  }

  /** Whether this still is the lock; another writer's is another file of the same name. */
  check(): void {
    if (read(this.#fs, this.#path) !== this.#text) throw 'conflict\nanother writer has taken the lock';
    if (performance.now() - this.#touched > (LEASE * 1000) / 4) this.#touch();
  }

  #touch(): void {
    this.#touched = performance.now();
    const now = Date.now() / 1000;
    try {
      this.#fs.futimesSync(this.#fd, now, now);
    } catch {
      // A lease that is not kept ends: another writer may take over then, and this one finds out before it writes.
    }
  }

  /** Releases it: its own file, whatever is named LOCK now, is cut to the first line. */
  release(): void {
    clearInterval(this.#timer as unknown as number);
    try {
      this.#fs.ftruncateSync(this.#fd, this.#text.indexOf('\n') + 1);
      this.#fs.closeSync(this.#fd);
    } catch {
      // The worst that this leaves is the claim of a process that is gone.
    }
  }
}

/** The epoch of the last writer of a directory; -1 while one holds its lock, or may. */
export function lockState(dir: string): number {
  const fs = nodeFs();
  const { epoch, owner } = parse(read(fs, `${dir}/LOCK`));
  return owner !== undefined && !isDead(fs, owner, `${dir}/LOCK`) ? -1 : Number(epoch);
}

function tryTake(path: string): { fd: number; claim: Claim; text: string } | string {
  const fs = nodeFs();
  const before = read(fs, path);
  const { epoch, owner } = parse(before);
  if (owner !== undefined && !isDead(fs, owner, path)) throw heldBy(owner);
  const claim: Claim = { epoch: epoch + 1n, owner: ownClaim(fs) };
  const fresh = `${path}.${claim.epoch}.new`;
  let fd: number;
  try {
    fd = fs.openSync(fresh, 'wx+');
  } catch (error) {
    if (!isThere(error)) throw error;
    if (isOlder(fs, fresh, TAKING)) unlink(fs, fresh);
    return heldBy({});
  }
  const text = `${claim.epoch}\n${JSON.stringify(claim.owner)}\n`;
  try {
    if (read(fs, path) === before) {
      const bytes = new TextEncoder().encode(text);
      fs.writeSync(fd, bytes, 0, bytes.length, 0);
      try {
        fs.renameSync(fresh, path);
      } catch (error) {
        // Somebody took this file for one that was left behind.
        if (!isAbsent(error)) throw error;
      }
      if (read(fs, path) === text) return { fd, claim, text };
    }
  } catch (error) {
    fs.closeSync(fd);
    unlink(fs, fresh);
    throw error;
  }
  fs.closeSync(fd);
  unlink(fs, fresh);
  return heldBy({});
}

function heldBy(owner: Owner): string {
  const home = typeof owner.home === 'string' ? `a ${owner.home} program` : 'another program';
  const process = typeof owner.pid === 'number' ? `, process ${owner.pid}` : '';
  return `busy\nthe database is open for writing elsewhere, by ${home}${process}`;
}

function read(fs: Fs, path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function unlink(fs: Fs, path: string): void {
  try {
    fs.unlinkSync(path);
  } catch {
    // It is gone, or it stays and is passed over later.
  }
}

/** What LOCK says. A text that no writer leaves behind, as after a power cut, is that of a free lock. */
function parse(text: string | undefined): Claim {
  const [first = '', ...rest] = (text ?? '').split('\n');
  if (!/^\d+$/.test(first.trim())) return { epoch: 0n };
  const epoch = BigInt(first.trim());
  const second = rest.join('\n').trim();
  if (second === '') return { epoch };
  try {
    const owner: unknown = JSON.parse(second);
    if (typeof owner === 'object' && owner !== null && !Array.isArray(owner)) return { epoch, owner };
  } catch {
    // An owner of whom nothing is known.
  }
  return { epoch, owner: {} };
}

function ownClaim(fs: Fs): Owner {
  const random = crypto.getRandomValues(new Uint8Array(8));
  const claim = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const owner: Owner = { home: 'node', claim };
  const { pid } = globalThis.process as { pid?: number };
  const here = place(fs);
  if (pid !== undefined) owner.pid = pid;
  if (here !== undefined) owner.place = here;
  owner.lease = LEASE;
  return owner;
}

/** Which processes this one can see: this start of the system and the namespace of process numbers. Known on Linux only. */
function place(fs: Fs): string | undefined {
  try {
    return `${fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fs.readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

/** Whether an owner has ended for sure. */
function isDead(fs: Fs, owner: Owner, path: string): boolean {
  const { pid, place: there, lease } = owner;
  if (typeof pid === 'number' && typeof there === 'string' && there === place(fs) && hasEnded(fs, pid)) return true;
  return typeof lease === 'number' && isOlder(fs, path, lease * 1000);
}

/** A process that has ended stays as a zombie until its parent looks. */
function hasEnded(fs: Fs, pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(') ') + 2));
  } catch (error) {
    return isAbsent(error);
  }
}

function isOlder(fs: Fs, path: string, age: number): boolean {
  try {
    return Date.now() - fs.statSync(path).mtimeMs > age;
  } catch {
    return false;
  }
}

/** A millisecond, while another taker gets through. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
