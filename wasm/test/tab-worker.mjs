// The worker as tests of many tabs need it: it tells when it leads and when it has the module, stands still when it is told to, as a frozen one does, and can
// say that it is of another version.

let skew = 0;
const Channel = globalThis.BroadcastChannel;
globalThis.BroadcastChannel = class extends Channel {
  postMessage(message) {
    super.postMessage('driftdb' in message ? { ...message, driftdb: message.driftdb + skew } : message);
  }
};
const { locks } = navigator;
const request = locks.request.bind(locks);
locks.request = (name, ...rest) => {
  if (!name.endsWith('/leader')) return request(name, ...rest);
  const lead = rest.pop();
  return request(name, ...rest, (lock) => {
    postMessage({ id: -1, leads: true });
    return lead(lock).finally(() => postMessage({ id: -1, leads: false }));
  });
};
const { compileStreaming } = WebAssembly;
WebAssembly.compileStreaming = async (response) => {
  const module = await compileStreaming.call(WebAssembly, response);
  postMessage({ id: -1, compiled: true });
  return module;
};
await import('../dist/worker.js');
const hear = globalThis.onmessage;
globalThis.onmessage = (event) => {
  if (event.data.freeze !== undefined) {
    // Until the server lets it go.
    const request = new XMLHttpRequest();
    request.open('GET', event.data.freeze, false);
    request.send();
  } else if (event.data.skew !== undefined) skew = event.data.skew;
  else hear(event);
};
postMessage({ id: -1, leads: false });
