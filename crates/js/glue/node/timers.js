// timers and timers/promises. A timer is a number here, as on the web; the global functions make and clear it.
(function (native) {
  'use strict';
  const { check, AbortError } = native.use('internal/errors');
  // Looked up at each call: what the globals do depends on where the program is.
  const call = (name) => ({ [name](...args) { return globalThis[name](...args); } })[name];
  const timers = {};
  for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']) timers[name] = call(name);
  timers.setImmediate = function setImmediate(callback, ...args) {
    check.function(callback, 'callback');
    return globalThis.setTimeout(callback, 0, ...args);
  };
  timers.clearImmediate = function clearImmediate(handle) { globalThis.clearTimeout(handle); };

  const wait = (delay, value, options) => new Promise((resolve, reject) => {
    const signal = options?.signal;
    check.signal(signal, 'options.signal');
    const stopped = () => reject(new AbortError(undefined, { cause: signal.reason }));
    if (signal?.aborted) {
      stopped();
      return;
    }
    const handle = globalThis.setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve(value);
    }, delay);
    const aborted = () => {
      globalThis.clearTimeout(handle);
      stopped();
    };
    signal?.addEventListener('abort', aborted, { once: true });
  });
  timers.promises = {
    setTimeout: (delay, value, options) => wait(delay, value, options),
    setImmediate: (value, options) => wait(0, value, options),
    async* setInterval(delay, value, options) {
      for (;;) yield await wait(delay, value, options);
    },
    scheduler: {
      wait: (delay, options) => wait(delay, undefined, options),
      yield: () => wait(0),
    },
  };
  return timers;
})
