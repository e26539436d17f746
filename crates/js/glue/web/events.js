// Event, CustomEvent and EventTarget: https://dom.spec.whatwg.org/#events
// There is no tree here, so an event has one target and no path to capture or bubble along.
(function (native) {
  'use strict';
  let dispatch;

  class Event {
    #type;
    #bubbles;
    #cancelable;
    #composed;
    #timeStamp = native.now();
    #target = null;
    #currentTarget = null;
    #canceled = false;
    #stopped = false;
    #stoppedNow = false;
    #passive = false;
    #dispatching = false;

    constructor(type, options) {
      if (arguments.length === 0) throw new TypeError('Failed to construct \'Event\': 1 argument required, but only 0 present.');
      this.#type = `${type}`;
      this.#bubbles = !!options?.bubbles;
      this.#cancelable = !!options?.cancelable;
      this.#composed = !!options?.composed;
    }

    get type() { return this.#type; }
    get target() { return this.#target; }
    get srcElement() { return this.#target; }
    get currentTarget() { return this.#currentTarget; }
    get eventPhase() { return this.#dispatching ? Event.AT_TARGET : Event.NONE; }
    get bubbles() { return this.#bubbles; }
    get cancelable() { return this.#cancelable; }
    get composed() { return this.#composed; }
    get defaultPrevented() { return this.#canceled; }
    get returnValue() { return !this.#canceled; }
    get isTrusted() { return false; }
    get timeStamp() { return this.#timeStamp; }
    get cancelBubble() { return this.#stopped; }
    set cancelBubble(value) { if (value) this.#stopped = true; }

    composedPath() { return this.#currentTarget ? [this.#currentTarget] : []; }
    preventDefault() { if (this.#cancelable && !this.#passive) this.#canceled = true; }
    stopPropagation() { this.#stopped = true; }
    stopImmediatePropagation() { this.#stopped = this.#stoppedNow = true; }

    static {
      dispatch = (target, event, listeners) => {
        if (typeof event !== 'object' || event === null || !(#type in event)) {
          throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not of type 'Event'.");
        }
        if (event.#dispatching) {
          throw new DOMException('The event is already being dispatched.', 'InvalidStateError');
        }
        event.#target = event.#currentTarget = target;
        event.#dispatching = true;
        // A listener added meanwhile is not called; one removed meanwhile is not either.
        for (const listener of [...listeners.get(event.#type) ?? []]) {
          if (listener.removed) continue;
          if (listener.once) remove(listeners, event.#type, listener);
          event.#passive = listener.passive;
          try {
            const { callback } = listener;
            if (typeof callback === 'function') callback.call(target, event);
            else callback.handleEvent(event);
          } catch (error) {
            native.report(error);
          }
          event.#passive = false;
          if (event.#stoppedNow) break;
        }
        event.#dispatching = event.#stopped = event.#stoppedNow = false;
        event.#currentTarget = null;
        return !event.#canceled;
      };
    }
  }
  for (const [name, value] of Object.entries({ NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 })) {
    const constant = { value, enumerable: true };
    Object.defineProperty(Event, name, constant);
    Object.defineProperty(Event.prototype, name, constant);
  }

  class CustomEvent extends Event {
    #detail;
    constructor(type, options) {
      super(...arguments);
      this.#detail = options?.detail ?? null;
    }
    get detail() { return this.#detail; }
  }

  const find = (list, callback, capture) =>
    list?.find((listener) => listener.callback === callback && listener.capture === capture);

  const remove = (listeners, type, listener) => {
    listener.removed = true;
    const rest = listeners.get(type).filter((other) => other !== listener);
    if (rest.length > 0) listeners.set(type, rest);
    else listeners.delete(type);
  };

  const isCapture = (options) => !!(typeof options === 'object' ? options?.capture : options);

  class EventTarget {
    #listeners = new Map();

    addEventListener(type, callback, options) {
      if (arguments.length < 2) {
        throw new TypeError(`Failed to execute 'addEventListener' on 'EventTarget': 2 arguments required, but only ${arguments.length} present.`);
      }
      if (callback === null || callback === undefined) return;
      if (typeof callback !== 'function' && typeof callback !== 'object') {
        throw new TypeError("Failed to execute 'addEventListener' on 'EventTarget': parameter 2 is not of type 'Object'.");
      }
      type = `${type}`;
      const capture = isCapture(options);
      const { once, passive, signal } = typeof options === 'object' && options !== null ? options : {};
      if (signal?.aborted) return;
      const list = this.#listeners.get(type);
      if (find(list, callback, capture)) return;
      const listener = { callback, capture, once: !!once, passive: !!passive, removed: false };
      this.#listeners.set(type, list ? [...list, listener] : [listener]);
      signal?.addEventListener('abort', () => {
        if (!listener.removed) remove(this.#listeners, type, listener);
      }, { once: true });
    }

    removeEventListener(type, callback, options) {
      if (arguments.length < 2) {
        throw new TypeError(`Failed to execute 'removeEventListener' on 'EventTarget': 2 arguments required, but only ${arguments.length} present.`);
      }
      type = `${type}`;
      const listener = find(this.#listeners.get(type), callback, isCapture(options));
      if (listener) remove(this.#listeners, type, listener);
    }

    dispatchEvent(event) {
      if (arguments.length === 0) {
        throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': 1 argument required, but only 0 present.");
      }
      return dispatch(this, event, this.#listeners);
    }
  }

  for (const constructor of [Event, CustomEvent, EventTarget]) native.tag(constructor);
  return { Event, CustomEvent, EventTarget };
})
