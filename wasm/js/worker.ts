// The worker: the engine in a thread of its own. Runs in browsers' workers and in Node's worker threads.

import { Host } from './host/host.js';
import { type Desk, type Port, Server } from './host/serve.js';
import { loadModule, nodeModule } from './platform/module.js';
import { open } from './platform/open.js';
import type { Place, Request } from './protocol.js';
import { Member } from './tabs/member.js';

interface ParentPort {
  on(event: 'message', listener: (message: Request) => void): void;
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
}

const parent = nodeModule<{ parentPort: ParentPort | null }>('worker_threads')?.parentPort ?? undefined;

/** Opens a database for a page: together with other tabs, or for itself. */
async function openDesk(place: Place): Promise<Desk> {
  if (place.shared === true && globalThis.navigator?.locks !== undefined && typeof BroadcastChannel === 'function') {
    const member = await Member.open(place, open);
    // A tab that takes over later may be without network then. If the module cannot be had now it is asked for again.
    loadModule(place).catch(() => {});
    return member;
  }
  const host = await Host.open(place, open);
  return { storage: host.storage, call: (call, signal) => host.call(0, call, signal), close: () => host.close() };
}

function serve(post: Port['post']): (request: Request) => void {
  const server = new Server({ post }, openDesk);
  return (request) => void server.receive(request);
}

if (parent !== undefined) {
  parent.on('message', serve((message, transfer) => parent.postMessage(message, transfer)));
} else {
  const scope = globalThis as unknown as { postMessage(message: unknown, transfer: ArrayBuffer[]): void; onmessage: (event: MessageEvent<Request>) => void };
  const receive = serve((message, transfer) => scope.postMessage(message, transfer));
  scope.onmessage = (event) => receive(event.data);
}
