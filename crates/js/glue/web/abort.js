// AbortController and AbortSignal: https://dom.spec.whatwg.org/#aborting-ongoing-activities
(function (native) {
  'use strict';
  const { Event, EventTarget } = native;
  const MAX_TIMEOUT_MS = Number.MAX_SAFE_INTEGER;
  const ours = Symbol();
  let abort;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    #onabort = null;
    // Signals made by `any` that follow this one, and the signals that this one follows.
    #followers = new Set();
    #sources = new Set();

    constructor(token) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      super();
    }

    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    get onabort() { return this.#onabort; }
    set onabort(handler) {
      if (this.#onabort) this.removeEventListener('abort', this.#onabort);
      this.#onabort = typeof handler === 'function' ? handler : null;
      if (this.#onabort) this.addEventListener('abort', this.#onabort);
    }

    throwIfAborted() { if (this.#aborted) throw this.#reason; }

    static abort(reason) {
      const signal = new AbortSignal(ours);
      abort(signal, reason);
      return signal;
    }

    static timeout(milliseconds) {
      const delay = Math.trunc(Number(milliseconds));
      if (!(delay >= 0 && delay <= MAX_TIMEOUT_MS)) {
        throw new TypeError(`AbortSignal.timeout takes 0 to ${MAX_TIMEOUT_MS} milliseconds, not ${milliseconds}`);
      }
      const signal = new AbortSignal(ours);
      native.setTimeout(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay);
      return signal;
    }

    static any(signals) {
      const result = new AbortSignal(ours);
      const all = [...signals];
      for (const signal of all) {
        if (typeof signal !== 'object' || signal === null || !(#aborted in signal)) {
          throw new TypeError("Failed to execute 'any' on 'AbortSignal': not all values are of type 'AbortSignal'.");
        }
      }
      const aborted = all.find((signal) => signal.#aborted);
      if (aborted) {
        result.#aborted = true;
        result.#reason = aborted.#reason;
        return result;
      }
      for (const signal of all) {
        for (const source of signal.#sources.size > 0 ? signal.#sources : [signal]) {
          result.#sources.add(source);
          source.#followers.add(result);
        }
      }
      return result;
    }

    static {
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        reason = reason === undefined ? new DOMException('The operation was aborted', 'AbortError') : reason;
        const all = [signal, ...[...signal.#followers].filter((follower) => !follower.#aborted)];
        for (const each of all) {
          each.#aborted = true;
          each.#reason = reason;
          for (const source of each.#sources) source.#followers.delete(each);
          each.#sources.clear();
        }
        signal.#followers.clear();
        for (const each of all) each.dispatchEvent(new Event('abort'));
      };
    }
  }

  class AbortController {
    #signal = new AbortSignal(ours);
    get signal() { return this.#signal; }
    abort(reason) { abort(this.#signal, reason); }
  }

  for (const constructor of [AbortSignal, AbortController]) native.tag(constructor);
  return { AbortSignal, AbortController };
})
