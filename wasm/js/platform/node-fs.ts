// What is used of Node's filesystem; Deno and Bun have the same.

import { nodeModule } from './module.js';

export interface Stat {
  size: number;
  ino: number;
  dev: number;
  mtimeMs: number;
  isDirectory(): boolean;
}

export interface Fs {
  openSync(path: string, flags: string): number;
  closeSync(fd: number): void;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  fstatSync(fd: number): Stat;
  statSync(path: string): Stat;
  ftruncateSync(fd: number, length: number): void;
  fsyncSync(fd: number): void;
  fdatasyncSync(fd: number): void;
  readdirSync(path: string): string[];
  readFileSync(path: string): Uint8Array;
  readFileSync(path: string, encoding: 'utf8'): string;
  readlinkSync(path: string): string;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string): void;
  futimesSync(fd: number, atime: number, mtime: number): void;
}

/** The filesystem. */
export function nodeFs(): Fs {
  return nodeModule<Fs>('fs')!;
}

/** Whether an error says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Whether an error says that there is such a file. */
export function isThere(error: unknown): boolean {
  return (error as { code?: string }).code === 'EEXIST';
}

/** The engine takes errors as text: a code, a line feed, a message. */
export function asText(error: unknown): string {
  if (typeof error === 'string') return error;
  const { code, message } = error as { code?: string; message?: string };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return `storage_full\n${message}`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `permission_denied\n${message}`;
    case 'ENOENT':
      return `file_missing\n${message}`;
    default:
      return `io\n${message ?? String(error)}`;
  }
}
