// AsyncLocalStorage and AsyncResource: https://nodejs.org/api/async_context.html
// The engine carries one value along asynchronous code: a map from storage to store that is never changed,
// only replaced, so whoever has kept it still sees what it saw.
(function (native) {
  'use strict';
  const { check, withMissing } = native.use('internal/errors');
  const { capture, swap } = native;
  const apply = Reflect.apply;

  const runIn = (context, callback, receiver, args) => {
    const before = swap(context);
    try {
      return apply(callback, receiver, args);
    } finally {
      swap(before);
    }
  };

  const entered = (storage, store) => {
    const stores = new Map(capture());
    stores.set(storage, store);
    return stores;
  };
  const left = (storage) => {
    const stores = new Map(capture());
    stores.delete(storage);
    return stores.size > 0 ? stores : undefined;
  };

  class AsyncLocalStorage {
    #default;
    #name;
    // Stores set before the storage was disabled are gone: the context keeps them under the key of then.
    #key = {};

    constructor(options) {
      this.#default = options?.defaultValue;
      this.#name = options?.name === undefined ? '' : `${options.name}`;
    }

    get name() { return this.#name; }

    getStore() {
      const stores = capture();
      return stores?.has(this.#key) ? stores.get(this.#key) : this.#default;
    }

    run(store, callback, ...args) {
      check.function(callback, 'callback');
      return runIn(entered(this.#key, store), callback, undefined, args);
    }

    exit(callback, ...args) {
      check.function(callback, 'callback');
      return runIn(left(this.#key), callback, undefined, args);
    }

    enterWith(store) { swap(entered(this.#key, store)); }

    disable() {
      swap(left(this.#key));
      this.#key = {};
    }

    static bind(callback) {
      check.function(callback, 'fn');
      const context = capture();
      return function (...args) { return runIn(context, callback, this, args); };
    }

    static snapshot() {
      const context = capture();
      return (callback, ...args) => {
        check.function(callback, 'fn');
        return runIn(context, callback, undefined, args);
      };
    }
  }

  let lastId = 1;
  class AsyncResource {
    #context = capture();
    #id = ++lastId;
    #type;

    constructor(type) {
      check.string(type, 'type');
      this.#type = type;
    }

    get type() { return this.#type; }
    asyncId() { return this.#id; }
    triggerAsyncId() { return 1; }
    emitDestroy() { return this; }

    runInAsyncScope(callback, receiver, ...args) {
      check.function(callback, 'fn');
      return runIn(this.#context, callback, receiver, args);
    }

    bind(callback, receiver) {
      check.function(callback, 'fn');
      const resource = this;
      return function (...args) {
        return resource.runInAsyncScope(callback, receiver === undefined ? this : receiver, ...args);
      };
    }

    static bind(callback, type, receiver) {
      return new AsyncResource(type || callback?.name || 'bound-anonymous-fn').bind(callback, receiver);
    }
  }

  return withMissing({ AsyncLocalStorage, AsyncResource }, 'async_hooks',
    ['createHook', 'executionAsyncId', 'executionAsyncResource', 'triggerAsyncId']);
})
