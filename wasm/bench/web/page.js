// The page: it has the engines' workers, and asks them what it is told to from outside.

const workers = new Map();

/** A worker that answers calls. */
class Engine {
  #worker;
  #pending = new Map();
  #next = 0;
  arrived = 0;
  loaded = 0;

  constructor(url) {
    this.#worker = new Worker(url, { type: 'module' });
    this.#worker.onmessage = (event) => {
      this.arrived = performance.now();
      const { id, answer, error, loaded } = event.data;
      if (loaded !== undefined) return void (this.loaded = loaded);
      const { resolve, reject } = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    };
    this.#worker.onerror = (event) => {
      for (const { reject } of this.#pending.values()) reject(new Error(event.message || 'the worker did not start'));
    };
  }

  call(op, args) {
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, op, args });
    });
  }

  end() {
    this.#worker.terminate();
  }
}

globalThis.bench = {
  start: (name, url) => void workers.set(name, new Engine(url)),
  call: (name, op, args) => workers.get(name).call(op, args),
  loaded: (name) => workers.get(name).loaded,
  end(name) {
    workers.get(name).end();
    workers.delete(name);
  },
  engine: (name) => workers.get(name),

  /** From the beginning of the page's load to the first answer, in milliseconds; and the wasm memory then. */
  async first(name, url, spec, key) {
    bench.start(name, url);
    const row = await bench.call(name, 'first', { spec, key });
    const took = performance.now();
    if (row?.id !== key) throw new Error(`${name}: the first answer is ${JSON.stringify(row)}`);
    return { took, memory: await bench.call(name, 'memory') };
  },

  /** All files of a directory of the origin's private filesystem, in bytes. */
  async bytes(path) {
    let directory = await navigator.storage.getDirectory();
    const parts = path.split('/');
    const last = parts.pop();
    for (const part of parts) directory = await directory.getDirectoryHandle(part);
    const sum = async (handle) => {
      if (handle.kind === 'file') return (await handle.getFile()).size;
      let bytes = 0;
      for await (const child of handle.values()) bytes += await sum(child);
      return bytes;
    };
    return sum(await directory.getDirectoryHandle(last).catch(() => directory.getFileHandle(last)));
  },
};

const job = new URLSearchParams(location.search).get('job');
if (job !== null) {
  const { through, name, url, spec, key } = JSON.parse(job);
  const result = through === 'page' ? import('./seen.js').then(() => seen.first(name, key)) : bench.first(name, url, spec, key);
  result.then((answer) => (globalThis.result = answer), (error) => (globalThis.result = { error: String(error?.stack ?? error) }));
}
