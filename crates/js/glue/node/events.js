// events: https://nodejs.org/api/events.html
(function (native) {
  'use strict';
  const { coded, check, invalidType, AbortError } = native.use('internal/errors');
  const rejection = Symbol.for('nodejs.rejection');
  const errorMonitor = Symbol('events.errorMonitor');
  const captures = Symbol('kCapture');
  const shown = (value) => native.use('internal/inspect').inspect(value);
  let defaultMax = 10;
  // As Node does for an engine without them.
  for (const name of ['dispose', 'asyncDispose']) {
    if (!Symbol[name]) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
  }

  function EventEmitter(options) { EventEmitter.init.call(this, options); }

  EventEmitter.prototype._events = undefined;
  EventEmitter.prototype._eventsCount = 0;
  EventEmitter.prototype._maxListeners = undefined;
  Object.defineProperty(EventEmitter.prototype, captures, { value: false, writable: true });

  EventEmitter.init = function (options) {
    if (this._events === undefined || this._events === Object.getPrototypeOf(this)._events) {
      this._events = Object.create(null);
      this._eventsCount = 0;
    }
    this._maxListeners ||= undefined;
    if (options?.captureRejections) {
      check.boolean(options.captureRejections, 'options.captureRejections');
      this[captures] = true;
    } else if (EventEmitter.prototype[captures]) this[captures] = true;
  };

  const method = (name, value) => {
    EventEmitter.prototype[name] = value;
  };
  const listener = (value) => check.function(value, 'listener');
  const lists = (emitter) => emitter._events ?? (emitter._eventsCount = 0, emitter._events = Object.create(null));

  const add = (emitter, type, callback, first) => {
    listener(callback);
    const events = lists(emitter);
    // Told before it is there, so that a listener of `newListener` may add one of its own before it.
    if (events.newListener !== undefined) emitter.emit('newListener', type, callback.listener ?? callback);
    const all = lists(emitter);
    const list = all[type];
    if (list === undefined) {
      all[type] = callback;
      emitter._eventsCount++;
      return emitter;
    }
    const longer = typeof list === 'function' ? [list] : list;
    if (first) longer.unshift(callback);
    else longer.push(callback);
    all[type] = longer;
    const most = emitter.getMaxListeners();
    if (most > 0 && longer.length > most && !longer.warned) {
      longer.warned = true;
      const name = emitter.constructor?.name ?? 'EventEmitter';
      const warning = new Error(`Possible EventEmitter memory leak detected. ${longer.length} ${String(type)} listeners added to [${name}]. MaxListeners is ${most}. Use emitter.setMaxListeners() to increase limit`);
      Object.assign(warning, { name: 'MaxListenersExceededWarning', emitter, type, count: longer.length });
      native.use('process').emitWarning(warning);
    }
    return emitter;
  };

  const onceOnly = (emitter, type, callback) => {
    listener(callback);
    let fired = false;
    const wrapped = (...args) => {
      if (fired) return undefined;
      fired = true;
      emitter.removeListener(type, wrapped);
      return callback.apply(emitter, args);
    };
    wrapped.listener = callback;
    return wrapped;
  };

  method('setMaxListeners', function setMaxListeners(count) {
    check.number(count, 'setMaxListeners', 0);
    this._maxListeners = count;
    return this;
  });
  method('getMaxListeners', function getMaxListeners() { return this._maxListeners ?? defaultMax; });

  const rejected = (emitter, promise, type, args) => {
    promise.then(undefined, (error) => {
      queueMicrotask(() => {
        if (typeof emitter[rejection] === 'function') {
          emitter[rejection](error, type, ...args);
          return;
        }
        // The listener of the error must not be asked for its own rejection again.
        const before = emitter[captures];
        try {
          emitter[captures] = false;
          emitter.emit('error', error);
        } finally {
          emitter[captures] = before;
        }
      });
    });
  };

  method('emit', function emit(type, ...args) {
    const events = this._events;
    if (type === 'error') {
      if (events?.[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
      if (events?.error === undefined) {
        const error = args[0];
        if (error instanceof Error) throw error;
        let text;
        try {
          text = shown(error);
        } catch {
          text = error;
        }
        throw Object.assign(coded(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${text})`), { context: error });
      }
    }
    const list = events?.[type];
    if (list === undefined) return false;
    for (const callback of typeof list === 'function' ? [list] : [...list]) {
      const result = Reflect.apply(callback, this, args);
      if (this[captures] && typeof result?.then === 'function') rejected(this, result, type, args);
    }
    return true;
  });

  method('addListener', function addListener(type, callback) { return add(this, type, callback, false); });
  method('on', EventEmitter.prototype.addListener);
  method('prependListener', function prependListener(type, callback) { return add(this, type, callback, true); });
  method('once', function once(type, callback) { return this.on(type, onceOnly(this, type, callback)); });
  method('prependOnceListener', function prependOnceListener(type, callback) {
    return this.prependListener(type, onceOnly(this, type, callback));
  });

  method('removeListener', function removeListener(type, callback) {
    listener(callback);
    const list = this._events?.[type];
    if (list === undefined) return this;
    const all = typeof list === 'function' ? [list] : list;
    const at = all.findLastIndex((one) => one === callback || one.listener === callback);
    if (at < 0) return this;
    const removed = all[at];
    if (all.length === 1) {
      if (--this._eventsCount === 0) this._events = Object.create(null);
      else delete this._events[type];
    } else {
      all.splice(at, 1);
      if (all.length === 1) this._events[type] = all[0];
    }
    if (this._events.removeListener !== undefined) this.emit('removeListener', type, removed.listener ?? removed);
    return this;
  });
  method('off', EventEmitter.prototype.removeListener);

  method('removeAllListeners', function removeAllListeners(type) {
    const events = this._events;
    if (events === undefined) return this;
    if (events.removeListener === undefined) {
      if (arguments.length === 0) {
        this._events = Object.create(null);
        this._eventsCount = 0;
      } else if (events[type] !== undefined) {
        if (--this._eventsCount === 0) this._events = Object.create(null);
        else delete events[type];
      }
      return this;
    }
    if (arguments.length === 0) {
      for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
      this.removeAllListeners('removeListener');
      this._events = Object.create(null);
      this._eventsCount = 0;
      return this;
    }
    const list = events[type];
    for (const one of typeof list === 'function' ? [list] : [...list ?? []].reverse()) this.removeListener(type, one);
    return this;
  });

  const listed = (emitter, type) => {
    const list = emitter._events?.[type];
    return list === undefined ? [] : typeof list === 'function' ? [list] : [...list];
  };
  method('listeners', function listeners(type) { return listed(this, type).map((one) => one.listener ?? one); });
  method('rawListeners', function rawListeners(type) { return listed(this, type); });
  method('listenerCount', function listenerCount(type, callback) {
    return callback === undefined ? listed(this, type).length
      : listed(this, type).filter((one) => one === callback || one.listener === callback).length;
  });
  method('eventNames', function eventNames() { return this._eventsCount > 0 ? Reflect.ownKeys(this._events) : []; });

  const isTarget = (value) => typeof value?.addEventListener === 'function';
  const listen = (emitter, type, callback, once) => {
    if (typeof emitter?.on === 'function') emitter[once ? 'once' : 'on'](type, callback);
    else if (isTarget(emitter)) emitter.addEventListener(type, callback, { once });
    else throw invalidType('emitter', 'EventEmitter', emitter);
  };
  const unlisten = (emitter, type, callback) => {
    if (typeof emitter.removeListener === 'function') emitter.removeListener(type, callback);
    else emitter.removeEventListener(type, callback);
  };
  const abortError = (signal) => new AbortError(undefined, { cause: signal.reason });

  // A promise of the next event.
  EventEmitter.once = async function once(emitter, type, options = {}) {
    const signal = options?.signal;
    check.signal(signal, 'options.signal');
    if (signal?.aborted) throw abortError(signal);
    return new Promise((resolve, reject) => {
      const stop = () => {
        unlisten(emitter, type, resolved);
        if (watchesErrors) unlisten(emitter, 'error', failed);
        signal?.removeEventListener('abort', aborted);
      };
      const resolved = (...args) => { stop(); resolve(args); };
      const failed = (error) => { stop(); reject(error); };
      const aborted = () => { stop(); reject(abortError(signal)); };
      const watchesErrors = type !== 'error' && typeof emitter?.once === 'function';
      listen(emitter, type, resolved, true);
      if (watchesErrors) emitter.once('error', failed);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  };

  // An async iterator over events, each as an array of arguments.
  EventEmitter.on = function on(emitter, type, options = {}) {
    const signal = options?.signal;
    check.signal(signal, 'options.signal');
    if (signal?.aborted) throw abortError(signal);
    const high = options.highWaterMark ?? options.highWatermark ?? Infinity;
    const low = options.lowWaterMark ?? options.lowWatermark ?? 1;
    check.number(high, 'options.highWaterMark', 1);
    check.number(low, 'options.lowWaterMark', 1);
    const values = [];
    const waiting = [];
    const watched = [];
    let error = null;
    let done = false;
    let paused = false;
    const watch = (on, name, callback) => {
      listen(on, name, callback, false);
      watched.push([on, name, callback]);
    };
    const arrived = (...args) => {
      if (waiting.length > 0) {
        waiting.shift().resolve({ value: args, done: false });
        return;
      }
      values.push(args);
      if (!paused && values.length > high) {
        paused = true;
        emitter.pause?.();
      }
    };
    const failed = (reason) => {
      if (waiting.length > 0) waiting.shift().reject(reason);
      else error = { reason };
      close();
    };
    const close = () => {
      signal?.removeEventListener('abort', aborted);
      for (const [on, name, callback] of watched.splice(0)) unlisten(on, name, callback);
      done = true;
      for (const { resolve } of waiting.splice(0)) resolve({ value: undefined, done: true });
      return Promise.resolve({ value: undefined, done: true });
    };
    const aborted = () => failed(abortError(signal));
    watch(emitter, type, arrived);
    if (type !== 'error' && typeof emitter.on === 'function') watch(emitter, 'error', failed);
    for (const name of options.close ?? []) watch(emitter, name, close);
    signal?.addEventListener('abort', aborted, { once: true });

    return {
      next() {
        if (values.length > 0) {
          const value = values.shift();
          if (paused && values.length < low) {
            paused = false;
            emitter.resume?.();
          }
          return Promise.resolve({ value, done: false });
        }
        if (error) {
          const { reason } = error;
          error = null;
          return Promise.reject(reason);
        }
        if (done) return close();
        return new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
      },
      return: close,
      throw(reason) {
        if (!(reason instanceof Error)) throw invalidType('EventEmitter.AsyncIterator', 'Error', reason);
        failed(reason);
      },
      [Symbol.asyncIterator]() { return this; },
    };
  };

  EventEmitter.getEventListeners = (emitter, type) => {
    if (typeof emitter?.listeners === 'function') return emitter.listeners(type);
    throw invalidType('emitter', 'EventEmitter', emitter);
  };
  EventEmitter.getMaxListeners = (emitter) => {
    if (typeof emitter?.getMaxListeners === 'function') return emitter.getMaxListeners();
    throw invalidType('emitter', 'EventEmitter', emitter);
  };
  EventEmitter.setMaxListeners = (count = defaultMax, ...emitters) => {
    check.number(count, 'setMaxListeners', 0);
    if (emitters.length === 0) defaultMax = count;
    // Targets of the web have no limit to raise.
    for (const emitter of emitters) if (!isTarget(emitter) || emitter.setMaxListeners) emitter.setMaxListeners(count);
  };
  EventEmitter.listenerCount = (emitter, type) => emitter.listenerCount(type);
  EventEmitter.addAbortListener = (signal, callback) => {
    if (signal === undefined) throw invalidType('signal', 'AbortSignal', signal);
    check.signal(signal, 'signal');
    listener(callback);
    if (signal.aborted) queueMicrotask(() => callback());
    else signal.addEventListener('abort', callback, { once: true });
    return { [Symbol.dispose]: () => signal.removeEventListener('abort', callback) };
  };

  const { AsyncResource } = native.use('async_hooks');
  class EventEmitterAsyncResource extends EventEmitter {
    #resource;
    constructor(options) {
      const name = typeof options === 'string' ? options : options?.name;
      super(typeof options === 'object' ? options : undefined);
      this.#resource = new AsyncResource(name ?? new.target.name);
    }
    emit(type, ...args) { return this.#resource.runInAsyncScope(super.emit, this, type, ...args); }
    emitDestroy() { this.#resource.emitDestroy(); }
    get asyncId() { return this.#resource.asyncId(); }
    get triggerAsyncId() { return this.#resource.triggerAsyncId(); }
    get asyncResource() { return this.#resource; }
  }

  Object.assign(EventEmitter, {
    EventEmitter, EventEmitterAsyncResource, errorMonitor, captureRejectionSymbol: rejection, usingDomains: false,
  });
  Object.defineProperties(EventEmitter, {
    defaultMaxListeners: {
      enumerable: true,
      get: () => defaultMax,
      set: (count) => {
        check.number(count, 'defaultMaxListeners', 0);
        defaultMax = count;
      },
    },
    captureRejections: {
      enumerable: true,
      get: () => EventEmitter.prototype[captures],
      set: (value) => {
        check.boolean(value, 'EventEmitter.captureRejections');
        EventEmitter.prototype[captures] = value;
      },
    },
  });
  return EventEmitter;
})
