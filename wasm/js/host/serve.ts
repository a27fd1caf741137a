// A database behind a port: messages in, messages out.

import { fail, toData } from '../errors.js';
import { type Answer, PROTOCOL, type Place, type Reply, type Request, type Storage } from '../protocol.js';
import { Calls } from './calls.js';
import type { Signal } from './stop.js';

/** Where messages come from and go to. */
export interface Port {
  post(message: Reply, transfer: ArrayBuffer[]): void;
}

/** Who answers: a host of this thread, or whoever finds one. */
export interface Desk {
  readonly storage: Storage;
  call(call: Extract<Request, { call: unknown }>['call'], signal: Signal): Promise<Answer>;
  /** Whether the client's page is seen. */
  show?(visible: boolean): void;
  close(): Promise<void>;
}

/** A client's end: what it asks, answered by one desk. */
export class Server {
  readonly #port: Port;
  readonly #opener: (place: Place) => Promise<Desk>;
  readonly #calls: Calls;
  #desk: Promise<Desk> | undefined;

  constructor(port: Port, opener: (place: Place) => Promise<Desk>) {
    this.#port = port;
    this.#opener = opener;
    this.#calls = new Calls(
      (reply, answer) => port.post(reply, answer === undefined ? [] : buffersOf(answer)),
      async (call, signal) => (await this.#opened()).call(call, signal),
    );
  }

  #opened(): Promise<Desk> {
    if (this.#desk === undefined) throw fail('closed', 'no database is open');
    return this.#desk;
  }

  /** Takes a message. */
  async receive(request: Request): Promise<void> {
    if ('call' in request || 'abort' in request) return this.#calls.receive(request);
    const { id } = request;
    try {
      if ('open' in request) {
        if (request.protocol !== PROTOCOL) throw fail('protocol', `this worker speaks protocol ${PROTOCOL}, the page ${request.protocol}`);
        this.#desk = this.#opener(request.open);
        const { storage } = await this.#desk;
        this.#port.post({ id, opened: { storage, protocol: PROTOCOL } }, []);
        return;
      }
      const desk = await this.#opened();
      if ('visible' in request) desk.show?.(request.visible);
      else {
        await desk.close();
        this.#port.post({ id, answer: null }, []);
      }
    } catch (error) {
      this.#port.post({ id, error: toData(error) }, []);
    }
  }
}

/** Smaller buffers are copied sooner than handed over. */
const HANDED_BYTES = 16 << 10;

/** What an answer hands over. */
function buffersOf(answer: Answer): ArrayBuffer[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const list = answer instanceof Uint8Array ? [answer] : Array.isArray(answer) ? answer : answer.buffers;
  return list.map((bytes) => bytes.buffer as ArrayBuffer).filter((buffer) => buffer.byteLength >= HANDED_BYTES);
}
