// A worker for a database: the browser's, or Node's worker thread.

import { fail } from '../errors.js';
import { nodeModule } from '../platform/module.js';
import type { Reply } from '../protocol.js';
import { Channel, type Peer } from './channel.js';
import { ownThread, ownWorker } from './own-worker.js';

/** A worker that the caller has made, or makes when one is needed. */
export type WorkerSource = Worker | (() => Worker);

interface NodeWorker {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: Reply) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'exit', listener: () => void): void;
  ref(): void;
  unref(): void;
  terminate(): void;
}

/** Starts a worker. */
export function spawn(source: WorkerSource | undefined): Channel {
  if (source === undefined && typeof Worker !== 'function') return spawnThread();
  const worker =
    source === undefined
      ? ownWorker()
      : typeof source === 'function'
        ? source()
        : source;
  const channel = new Channel({
    post: (message, transfer) => worker.postMessage(message, transfer),
    end: () => worker.terminate(),
  });
  worker.onmessage = (event: MessageEvent<Reply>) => channel.receive(event.data);
  worker.onerror = (event) => {
    const message = `the worker has failed${event.message ? `: ${event.message}` : ' to start'}`;
    channel.fail(fail('crashed', message, 'is worker.js served beside this module? See the option worker'));
  };
  return channel;
}

function spawnThread(): Channel {
  const threads = nodeModule<{ Worker: new (url: URL, options: { execArgv: string[] }) => NodeWorker }>('worker_threads');
  if (threads === undefined) throw fail('unsupported', 'there are no workers here', "use 'driftdb/sync'");
  // The program's own flags may not fit a worker (`--input-type`, `--eval`).
  const worker = new threads.Worker(ownThread(), { execArgv: [] });
  // An open database that nobody asks for anything does not keep the program running.
  worker.unref();
  const peer: Peer = {
    post: (message, transfer) => worker.postMessage(message, transfer),
    awaited: (something) => (something ? worker.ref() : worker.unref()),
    end: () => worker.terminate(),
  };
  const channel = new Channel(peer);
  worker.on('message', (message) => channel.receive(message));
  worker.on('error', (error) => channel.fail(fail('crashed', `the worker has failed: ${error.message}`)));
  worker.on('exit', () => channel.fail(fail('closed', 'the worker has ended')));
  return channel;
}
