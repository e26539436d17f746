// What readable and writable streams share: promises, queues, strategies.
// https://streams.spec.whatwg.org/ ; names follow the standard's operations where they do the same.
(function (native) {
  'use strict';
  const noop = () => {};

  // A promise whose rejection nobody need handle.
  const deferred = () => {
    const result = {};
    result.promise = new Promise((resolve, reject) => {
      result.resolve = resolve;
      result.reject = reject;
    });
    result.promise.catch(noop);
    return result;
  };
  const resolved = (value) => {
    const result = deferred();
    result.resolve(value);
    return result;
  };
  const rejected = (reason) => {
    const result = deferred();
    result.reject(reason);
    return result;
  };

  // A source's, sink's or strategy's function, bound to it; `undefined` if there is none.
  const method = (owner, name) => {
    const found = owner?.[name];
    if (found === undefined || found === null) return undefined;
    if (typeof found !== 'function') throw new TypeError(`${name} must be a function`);
    return (...args) => Reflect.apply(found, owner, args);
  };
  // Its result as a promise, also if it throws.
  const promised = (call, ...args) => {
    try {
      return Promise.resolve(call?.(...args));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  const highWaterMarkOf = (strategy, fallback) => {
    const mark = strategy?.highWaterMark;
    if (mark === undefined) return fallback;
    const number = Number(mark);
    if (Number.isNaN(number) || number < 0) throw new RangeError(`Invalid highWaterMark: ${mark}`);
    return number;
  };
  const sizeOf = (strategy) => method(strategy, 'size') ?? (() => 1);

  // Chunks with their sizes.
  class Queue {
    #entries = [];
    #first = 0;
    total = 0;
    get length() { return this.#entries.length - this.#first; }
    push(value, size) {
      size = Number(size);
      if (Number.isNaN(size) || size < 0 || size === Infinity) throw new RangeError(`Invalid chunk size: ${size}`);
      this.#entries.push({ value, size });
      this.total += size;
    }
    peek() { return this.#entries[this.#first].value; }
    shift() {
      const { value, size } = this.#entries[this.#first];
      this.#entries[this.#first++] = undefined;
      // Moving the rest down now and then keeps each shift cheap and the list short.
      if (this.#first > 32 && this.#first * 2 > this.#entries.length) {
        this.#entries.splice(0, this.#first);
        this.#first = 0;
      }
      this.total = Math.max(this.total - size, 0);
      return value;
    }
    // The first chunk has become smaller in place.
    shrink(count) {
      this.#entries[this.#first].size -= count;
      this.total -= count;
    }
    clear() {
      this.#entries = [];
      this.#first = this.total = 0;
    }
  }

  const strategy = (name, size) => {
    const Strategy = {
      [name]: class {
        #highWaterMark;
        constructor(init) {
          if (init === undefined || init === null || init.highWaterMark === undefined) {
            throw new TypeError(`Failed to construct '${name}': highWaterMark is missing.`);
          }
          this.#highWaterMark = Number(init.highWaterMark);
        }
        get highWaterMark() { return this.#highWaterMark; }
        get size() { return size; }
      },
    }[name];
    native.tag(Strategy);
    return Strategy;
  };

  return {
    noop, deferred, resolved, rejected, method, promised, highWaterMarkOf, sizeOf, Queue,
    ByteLengthQueuingStrategy: strategy('ByteLengthQueuingStrategy', (chunk) => chunk.byteLength),
    CountQueuingStrategy: strategy('CountQueuingStrategy', () => 1),
  };
})
