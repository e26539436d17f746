// What `using` and `await using` do at the end of a block, and the classes that do it by hand:
// https://tc39.es/ecma262/#sec-disposableresource-records
(function (native) {
  'use strict';
  Symbol.dispose ??= Symbol.for('Symbol.dispose');
  Symbol.asyncDispose ??= Symbol.for('Symbol.asyncDispose');
  const { dispose, asyncDispose } = Symbol;
  const define = Object.defineProperty;
  const { apply, construct } = Reflect;
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  function SuppressedError(error, suppressed, message) {
    const made = construct(Error, message === undefined ? [] : [message], new.target ?? SuppressedError);
    for (const [name, value] of [['error', error], ['suppressed', suppressed]]) {
      define(made, name, { value, writable: true, configurable: true });
    }
    return made;
  }
  Object.setPrototypeOf(SuppressedError, Error);
  define(SuppressedError, 'prototype', {
    writable: false,
    value: Object.create(Error.prototype, Object.fromEntries([['constructor', SuppressedError], ['name', 'SuppressedError'], ['message', '']]
      .map(([name, value]) => [name, { value, writable: true, configurable: true }]))),
  });

  const methodOf = (value, symbol) => {
    const method = value[symbol];
    if (method === undefined || method === null) return undefined;
    if (typeof method !== 'function') throw new TypeError(`${String(symbol)} is not a function`);
    return method;
  };

  // Resources in the order in which they were added. One without a method stands for null, which
  // `await using` takes and awaits nothing for.
  class Resources {
    #list = [];
    #failed = false;
    #error;
    push(value, method, isAsync) { this.#list.push({ value, method, isAsync }); }
    addSync(value) {
      if (value === null || value === undefined) return;
      const method = isObject(value) ? methodOf(value, dispose) : undefined;
      if (method === undefined) throw new TypeError('Symbol.dispose of a resource is not a function');
      this.push(value, method, false);
    }
    addAsync(value) {
      if (value === null || value === undefined) return this.push(undefined, undefined, true);
      if (!isObject(value)) throw new TypeError('Symbol.asyncDispose of a resource is not a function');
      const method = methodOf(value, asyncDispose);
      if (method !== undefined) return this.push(value, method, true);
      const synchronous = methodOf(value, dispose);
      if (synchronous === undefined) throw new TypeError('Neither Symbol.asyncDispose nor Symbol.dispose of a resource is a function');
      // What it returns is not waited for.
      this.push(value, function () { apply(synchronous, this, []); }, true);
    }
    fail(error) {
      this.#error = this.#failed ? new SuppressedError(error, this.#error, 'An error was suppressed during disposal') : error;
      this.#failed = true;
    }
    get isAsync() { return this.#list.some((resource) => resource.isAsync); }
    take() {
      const taken = new Resources();
      taken.#list = this.#list;
      this.#list = [];
      return taken;
    }
    dispose() {
      while (this.#list.length > 0) {
        const { value, method } = this.#list.pop();
        try {
          apply(method, value, []);
        } catch (error) {
          this.fail(error);
        }
      }
      if (this.#failed) throw this.#error;
    }
    async disposeAsync() {
      let owed = false;
      let awaited = false;
      while (this.#list.length > 0) {
        const { value, method, isAsync } = this.#list.pop();
        if (!isAsync && owed && !awaited) {
          await undefined;
          owed = false;
        }
        if (method === undefined) {
          owed = true;
          continue;
        }
        try {
          const result = apply(method, value, []);
          if (isAsync) {
            awaited = true;
            await result;
          }
        } catch (error) {
          this.fail(error);
        }
      }
      if (owed && !awaited) await undefined;
      if (this.#failed) throw this.#error;
    }
  }

  // Of a block: `u` and `a` add what `using` and `await using` declare, `e` is told what the block
  // threw, and `d` ends it. The names are those that the transformer of the loader writes.
  const usingCtx = () => {
    const resources = new Resources();
    return {
      u(value) {
        resources.addSync(value);
        return value;
      },
      a(value) {
        resources.addAsync(value);
        return value;
      },
      set e(error) { resources.fail(error); },
      d: () => (resources.isAsync ? resources.disposeAsync() : resources.dispose()),
    };
  };

  // ---- the classes -------------------------------------------------------------------------------

  const live = (resources) => {
    if (resources === undefined) throw new ReferenceError('The stack is disposed already');
    return resources;
  };
  const callable = (value) => {
    if (typeof value !== 'function') throw new TypeError('The disposer is not a function');
    return value;
  };

  class DisposableStack {
    #resources = new Resources();
    get disposed() { return this.#resources === undefined; }
    dispose() {
      const resources = this.#resources;
      this.#resources = undefined;
      resources?.dispose();
    }
    use(value) {
      live(this.#resources).addSync(value);
      return value;
    }
    adopt(value, onDispose) {
      const resources = live(this.#resources);
      callable(onDispose);
      resources.push(undefined, () => { onDispose(value); }, false);
      return value;
    }
    defer(onDispose) { live(this.#resources).push(undefined, callable(onDispose), false); }
    move() {
      const moved = new DisposableStack();
      moved.#resources = live(this.#resources).take();
      this.#resources = undefined;
      return moved;
    }
  }

  class AsyncDisposableStack {
    #resources = new Resources();
    get disposed() { return this.#resources === undefined; }
    async disposeAsync() {
      const resources = this.#resources;
      this.#resources = undefined;
      await resources?.disposeAsync();
    }
    use(value) {
      live(this.#resources).addAsync(value);
      return value;
    }
    adopt(value, onDispose) {
      const resources = live(this.#resources);
      callable(onDispose);
      resources.push(undefined, () => onDispose(value), true);
      return value;
    }
    defer(onDispose) { live(this.#resources).push(undefined, callable(onDispose), true); }
    move() {
      const moved = new AsyncDisposableStack();
      moved.#resources = live(this.#resources).take();
      this.#resources = undefined;
      return moved;
    }
  }
  const alias = (prototype, symbol, name) => define(prototype, symbol, { value: prototype[name], writable: true, configurable: true });
  alias(DisposableStack.prototype, dispose, 'dispose');
  alias(AsyncDisposableStack.prototype, asyncDispose, 'disposeAsync');
  for (const constructor of [DisposableStack, AsyncDisposableStack]) native.tag(constructor);

  return { SuppressedError, DisposableStack, AsyncDisposableStack, usingCtx };
})
