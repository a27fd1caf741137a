// No engine: what a page and a worker cost by themselves.

export const make = () => ({ async open() {}, get: (key) => ({ id: key }), memory: () => 0 });
