// ctx.storage.kv: the class around the synchronous calls. native has them, and the prototype of what list gives.
(native) => {
  const { get, put, list, listPrototype } = native;
  const remove = native.delete;
  const text = (key, name, count) => {
    if (count === 0) throw new TypeError(`Failed to execute '${name}' on 'SyncKvStorage': parameter 1 is not of type 'string'.`);
    return `${key}`;
  };
  Object.setPrototypeOf(listPrototype, Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
  Object.defineProperty(listPrototype, Symbol.toStringTag, { value: 'KvListIterator', configurable: true });

  class SyncKvStorage {
    constructor(key) { if (key !== native) throw new TypeError('Illegal constructor'); }
    get(key) { return get(typeof key === 'string' ? key : text(key, 'get', arguments.length)); }
    put(key, value) {
      if (arguments.length === 1) throw new TypeError("Failed to execute 'put' on 'SyncKvStorage': parameter 2 is not of type 'Value'.");
      put(typeof key === 'string' ? key : text(key, 'put', arguments.length), value);
    }
    delete(key) { return remove(typeof key === 'string' ? key : text(key, 'delete', arguments.length)); }
    list(options) { return list(options); }
  }
  Object.defineProperty(SyncKvStorage.prototype, Symbol.toStringTag, { value: 'SyncKvStorage', configurable: true });
  return new SyncKvStorage(native);
}
