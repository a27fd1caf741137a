// The worker: the engine in a thread of its own. Runs in browsers' workers and in Node's worker threads.

import { Server } from './host/serve.js';
import { nodeModule } from './platform/module.js';
import { open } from './platform/open.js';
import type { Request } from './protocol.js';

interface ParentPort {
  on(event: 'message', listener: (message: Request) => void): void;
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
}

const parent = nodeModule<{ parentPort: ParentPort | null }>('worker_threads')?.parentPort ?? undefined;

if (parent !== undefined) {
  const server = new Server({ post: (message, transfer) => parent.postMessage(message, transfer) }, open);
  parent.on('message', (message) => void server.receive(message));
} else {
  const scope = globalThis as unknown as { postMessage(message: unknown, transfer: ArrayBuffer[]): void; onmessage: (event: MessageEvent<Request>) => void };
  const server = new Server({ post: (message, transfer) => scope.postMessage(message, transfer) }, open);
  scope.onmessage = (event) => void server.receive(event.data);
}
