// A database's directory, as wasm/src/stores/files.rs asks for it: one call, one thing done. Errors are thrown as text.
//
// At most about so many files are open at a time; the one opened least recently is closed first, unless it has no name any more or has
// writes that were not synced. A closed one is opened again when it is needed and must then be the same file.

import { type Fs, type Stat, asText, isAbsent, isThere, nodeFs } from './node-fs.js';
import { NodeLock, lockState } from './node-lock.js';

const OPEN_MAX = 200;
/** What names end with while their files are written. */
const TEMPORARY = '.new';

interface Entry {
  path: string;
  fd: number | undefined;
  flags: 'r' | 'r+';
  stat: Stat;
  /** Has lost its name: closed, it would be lost. */
  nameless: boolean;
  dirty: boolean;
  /** Whether its length was cut, or its name is new: then a sync of the data alone is too little. */
  whole: boolean;
  /** Directories whose entries the first sync makes durable. */
  dirs: string[];
}

/** Calls that throw texts. */
function guarded<This, Args extends unknown[], Result>(method: (this: This, ...args: Args) => Result): (this: This, ...args: Args) => Result {
  return function (this: This, ...args: Args): Result {
    try {
      return method.apply(this, args);
    } catch (error) {
      throw asText(error);
    }
  };
}

/** The files of one database. */
export class NodeFiles {
  readonly #fs: Fs = nodeFs();
  readonly #root: string;
  /** In the order in which they were opened. */
  readonly #entries = new Map<number, Entry>();
  #open = 0;
  #last = 0;
  #lock: NodeLock | undefined;

  constructor(root: string) {
    this.#root = root.replace(/[\\/]+$/, '') || root;
  }

  #path(path: string): string {
    const plain = (part: string): boolean => part !== '' && part !== '.' && part !== '..' && !/[\\:\0]/.test(part);
    if (path !== '' && !path.split('/').every(plain)) throw 'invalid_value\nthe path cannot be one of a database\'s file';
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  readonly list = guarded((dir: string): string => {
    try {
      return this.#fs.readdirSync(this.#path(dir)).filter((name) => !name.endsWith(TEMPORARY)).join('\n');
    } catch (error) {
      if (isAbsent(error)) return '';
      throw error;
    }
  });

  readonly open = guarded((path: string, write: boolean): number => {
    const full = this.#path(path);
    const flags = write ? 'r+' : 'r';
    let fd: number;
    try {
      fd = this.#fs.openSync(full, flags);
    } catch (error) {
      if (isAbsent(error)) return 0;
      throw error;
    }
    return this.#add({ path: full, fd, flags, stat: this.#fs.fstatSync(fd), nameless: false, dirty: false, whole: false, dirs: [] });
  });

  readonly create = guarded((path: string): number => {
    const full = this.#path(path);
    const dirs = this.#makeParents(full);
    const fd = this.#fs.openSync(full, 'wx+');
    return this.#add({ path: full, fd, flags: 'r+', stat: this.#fs.fstatSync(fd), nameless: false, dirty: true, whole: true, dirs });
  });

  #add(entry: Entry): number {
    this.#last += 1;
    this.#entries.set(this.#last, entry);
    this.#open += 1;
    this.#closeIdle(entry);
    return this.#last;
  }

  #closeIdle(keep: Entry): void {
    if (this.#open <= OPEN_MAX) return;
    for (const entry of this.#entries.values()) {
      if (entry === keep || entry.fd === undefined || entry.nameless || entry.dirty) continue;
      this.#closeEntry(entry);
      if (this.#open <= OPEN_MAX) return;
    }
  }

  #closeEntry(entry: Entry): void {
    if (entry.fd === undefined) return;
    this.#fs.closeSync(entry.fd);
    entry.fd = undefined;
    this.#open -= 1;
  }

  /** An open file. */
  #entry(file: number): Entry & { fd: number } {
    const entry = this.#entries.get(file);
    if (entry === undefined) throw 'io\nthe file is closed';
    if (entry.fd === undefined) {
      const fd = this.#fs.openSync(entry.path, entry.flags);
      const { ino, dev } = this.#fs.fstatSync(fd);
      if (ino !== entry.stat.ino || dev !== entry.stat.dev) {
        this.#fs.closeSync(fd);
        throw 'file_missing\nthe file was replaced by another';
      }
      entry.fd = fd;
      this.#open += 1;
      this.#entries.delete(file);
      this.#entries.set(file, entry);
      this.#closeIdle(entry);
    }
    return entry as Entry & { fd: number };
  }

  close(file: number): void {
    const entry = this.#entries.get(file);
    this.#entries.delete(file);
    try {
      if (entry !== undefined) this.#closeEntry(entry);
    } catch {
      // Whatever was to be kept was synced before.
    }
  }

  readonly size = guarded((file: number): number => this.#fs.fstatSync(this.#entry(file).fd).size);

  readonly read = guarded((file: number, offset: number, buffer: Uint8Array): number => {
    const { fd } = this.#entry(file);
    let done = 0;
    while (done < buffer.length) {
      const count = this.#fs.readSync(fd, buffer, done, buffer.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  });

  readonly write = guarded((file: number, offset: number, bytes: Uint8Array): void => {
    const entry = this.#entry(file);
    entry.dirty = true;
    this.#writeAll(entry.fd, offset, bytes);
  });

  #writeAll(fd: number, offset: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      const count = this.#fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
      if (count === 0) throw 'io\nnothing was written';
      done += count;
    }
  }

  readonly truncate = guarded((file: number, length: number): void => {
    const entry = this.#entry(file);
    entry.dirty = entry.whole = true;
    this.#fs.ftruncateSync(entry.fd, length);
  });

  readonly sync = guarded((file: number): void => {
    const entry = this.#entry(file);
    // The data alone covers the length as far as reading needs it; a cut and a new name need more.
    if (entry.whole) this.#fs.fsyncSync(entry.fd);
    else this.#fs.fdatasyncSync(entry.fd);
    for (const dir of entry.dirs) this.#syncDir(dir);
    entry.dirs = [];
    entry.dirty = entry.whole = false;
  });

  /** Before the file of a path goes: who has it open keeps it open. */
  #detach(full: string): void {
    for (const [file, entry] of this.#entries) {
      if (entry.path !== full || entry.nameless) continue;
      this.#entry(file);
      entry.nameless = true;
    }
  }

  readonly remove = guarded((path: string): void => {
    const full = this.#path(path);
    this.#detach(full);
    try {
      this.#fs.unlinkSync(full);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  });

  readonly rename = guarded((from: string, to: string): void => {
    const [source, target] = [this.#path(from), this.#path(to)];
    this.#detach(target);
    this.#fs.renameSync(source, target);
    for (const entry of this.#entries.values()) if (entry.path === source && !entry.nameless) entry.path = target;
    this.#syncDir(parent(target));
  });

  readonly replace = guarded((path: string, bytes: Uint8Array): void => {
    const full = this.#path(path);
    const dirs = this.#makeParents(full);
    this.#detach(full);
    const temporary = `${full}${TEMPORARY}`;
    try {
      const fd = this.#fs.openSync(temporary, 'w');
      try {
        this.#writeAll(fd, 0, bytes);
        this.#fs.fsyncSync(fd);
      } finally {
        this.#fs.closeSync(fd);
      }
      this.#fs.renameSync(temporary, full);
    } catch (error) {
      try {
        this.#fs.unlinkSync(temporary);
      } catch {
        // The error that matters is the first.
      }
      throw error;
    }
    for (const dir of dirs) this.#syncDir(dir);
  });

  readonly readWhole = guarded((path: string): Uint8Array | undefined => {
    try {
      return this.#fs.readFileSync(this.#path(path));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  });

  /** Creates the directories above a file; those whose entries are not durable yet. */
  #makeParents(full: string): string[] {
    const dirs = [parent(full)];
    const missing: string[] = [];
    for (let dir = dirs[0]!; !this.#isDir(dir); ) {
      missing.push(dir);
      const above = parent(dir);
      dirs.push(above);
      if (above === dir) break;
      dir = above;
    }
    for (const dir of missing.reverse()) {
      try {
        this.#fs.mkdirSync(dir);
      } catch (error) {
        if (!isThere(error)) throw error;
      }
    }
    return dirs;
  }

  #isDir(dir: string): boolean {
    try {
      return this.#fs.statSync(dir).isDirectory();
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }

  /** Puts a directory's entries on stable storage. Where that cannot be (Windows), a rename is as durable as it gets. */
  #syncDir(dir: string): void {
    if ((globalThis.process as { platform?: string }).platform === 'win32') return;
    const fd = this.#fs.openSync(dir, 'r');
    try {
      this.#fs.fsyncSync(fd);
    } finally {
      this.#fs.closeSync(fd);
    }
  }

  readonly lock = guarded((): number => {
    if (this.#lock !== undefined) throw 'busy\nthe database is open for writing here already';
    for (const dir of this.#makeParents(`${this.#root}/LOCK`)) this.#syncDir(dir);
    this.#lock = NodeLock.take(this.#root);
    return Number(this.#lock.epoch);
  });

  readonly checkLock = guarded((): void => {
    if (this.#lock === undefined) throw 'conflict\nthe lock was released';
    this.#lock.check();
  });

  unlock(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  readonly lockState = guarded((): number => lockState(this.#root));

  /** Closes everything, after the engine has stopped without doing so. */
  abandon(): void {
    for (const file of [...this.#entries.keys()]) this.close(file);
    this.unlock();
  }
}

function parent(path: string): string {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}
