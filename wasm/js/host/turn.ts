// Turns of the message loop: between two slices of work everybody else's messages are heard.

type Immediate = (action: () => void) => unknown;

let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/** Resolves in a later turn, as soon as may be. A timer would wait for milliseconds when it is set again and again. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const immediate = (globalThis as { setImmediate?: Immediate }).setImmediate;
    if (immediate !== undefined) {
      immediate(resolve);
      return;
    }
    if (channel === undefined) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => waiting.shift()?.();
    }
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
