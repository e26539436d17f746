// scheduler.wait, as workerd has it: https://developers.cloudflare.com/workers/runtime-apis/
(function (native) {
  'use strict';

  class Scheduler {
    async wait(milliseconds, options) {
      const signal = options?.signal;
      if (signal !== undefined && signal !== null && !(signal instanceof native.use('AbortSignal'))) throw new TypeError('signal is not of type AbortSignal.');
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          native.clearTimeout?.(timer);
          reject(signal.reason);
        };
        const timer = native.setTimeout(() => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        }, Number(milliseconds) || 0);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    }
  }

  native.tag(Scheduler);
  return { scheduler: new Scheduler() };
})
