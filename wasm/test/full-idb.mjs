// Makes IndexedDB refuse what it is to store while a full disk is played: before the worker's own module is loaded.

let full = false;
addEventListener('message', (event) => {
  if (typeof event.data?.full !== 'boolean') return;
  event.stopImmediatePropagation();
  full = event.data.full;
});
const { put } = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (...args) {
  if (full) {
    const { transaction } = this;
    if (Object.hasOwn(transaction, 'error')) return undefined;
    Object.defineProperty(transaction, 'error', { value: new DOMException('full', 'QuotaExceededError') });
    transaction.abort();
    return undefined;
  }
  return put.apply(this, args);
};
