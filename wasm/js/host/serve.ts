// A host behind a port: messages in, messages out.

import { fail, toData } from '../errors.js';
import { type Answer, PROTOCOL, type Reply, type Request } from '../protocol.js';
import { Host, type Opener } from './host.js';

/** Where messages come from and go to. */
export interface Port {
  post(message: Reply, transfer: ArrayBuffer[]): void;
}

/** A client's end: what it asks, answered by one host. */
export class Server {
  readonly #port: Port;
  readonly #opener: Opener;
  readonly #running = new Map<number, AbortController>();
  #host: Promise<Host> | undefined;

  constructor(port: Port, opener: Opener) {
    this.#port = port;
    this.#opener = opener;
  }

  /** Takes a message. */
  async receive(request: Request): Promise<void> {
    if ('abort' in request) {
      this.#running.get(request.id)?.abort();
      return;
    }
    const { id } = request;
    try {
      if ('open' in request) {
        if (request.protocol !== PROTOCOL) throw fail('protocol', `this worker speaks protocol ${PROTOCOL}, the page ${request.protocol}`);
        this.#host = Host.open(request.open, this.#opener);
        const { storage } = await this.#host;
        this.#port.post({ id, opened: { storage, protocol: PROTOCOL } }, []);
        return;
      }
      if (this.#host === undefined) throw fail('closed', 'no database is open');
      const host = await this.#host;
      if ('close' in request) {
        await host.close();
        this.#port.post({ id, answer: null }, []);
        return;
      }
      const controller = new AbortController();
      this.#running.set(id, controller);
      const answer = await host.call(0, request.call, controller.signal);
      this.#port.post({ id, answer }, buffersOf(answer));
    } catch (error) {
      this.#port.post({ id, error: toData(error) }, []);
    } finally {
      this.#running.delete(id);
    }
  }
}

/** What an answer hands over. */
function buffersOf(answer: Answer): ArrayBuffer[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const list = answer instanceof Uint8Array ? [answer] : Array.isArray(answer) ? answer : answer.buffers;
  return list.map((bytes) => bytes.buffer as ArrayBuffer);
}
