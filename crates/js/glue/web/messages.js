// MessageChannel, MessagePort: https://html.spec.whatwg.org/multipage/web-messaging.html#message-channels
// As Workers have them: both ports stay in the instance, nothing is transferred, and a listener starts a port.
(function (native) {
  'use strict';
  const { Event, EventTarget, structuredClone } = native;
  const ours = Symbol();

  class MessageEvent extends Event {
    #data; #origin; #lastEventId; #source; #ports;
    constructor(type, options) {
      super(...arguments);
      const { data = null, origin = null, lastEventId = '', source = null, ports = [] } = options ?? {};
      this.#data = data;
      this.#origin = origin === null ? null : `${origin}`;
      this.#lastEventId = `${lastEventId}`;
      this.#source = source;
      this.#ports = Object.freeze([...ports]);
    }
    get data() { return this.#data; }
    get origin() { return this.#origin; }
    get lastEventId() { return this.#lastEventId; }
    get source() { return this.#source; }
    get ports() { return this.#ports; }
  }

  let entangle;
  class MessagePort extends EventTarget {
    #other = null;
    #isStarted = false;
    #isClosed = false;
    #onmessage = null;
    #listener = null;
    // What came: one task delivers all of it.
    #waiting = [];
    #isScheduled = false;

    constructor(token) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      super();
    }
    static {
      entangle = (one, other) => {
        one.#other = other;
        other.#other = one;
      };
    }

    postMessage(value, options) {
      const transfer = Array.isArray(options) ? options : options?.transfer ?? [];
      if ([...transfer].length > 0) throw new Error('Transfer list is not supported');
      const data = structuredClone(value);
      const other = this.#other;
      if (this.#isClosed) return;
      other.#waiting.push(data);
      other.#schedule();
    }

    start() {
      this.#isStarted = true;
      this.#schedule();
    }

    // What was posted before still arrives; nothing that is posted later does.
    close() {
      if (this.#isClosed) return;
      const other = this.#other;
      this.#isClosed = other.#isClosed = true;
      other.dispatchEvent(new Event('close'));
      this.dispatchEvent(new Event('close'));
    }

    addEventListener(type, callback, options) {
      super.addEventListener(type, callback, options);
      if (`${type}` === 'message' && callback !== null && callback !== undefined) this.start();
    }

    get onmessage() { return this.#onmessage; }
    set onmessage(handler) {
      if (this.#listener !== null) this.removeEventListener('message', this.#listener);
      this.#onmessage = typeof handler === 'function' ? handler : null;
      this.#listener = null;
      if (this.#onmessage === null) return;
      this.#listener = (event) => {
        try {
          handler.call(this, event);
        } catch (error) {
          native.report(error);
          this.dispatchEvent(new MessageEvent('messageerror', { data: error }));
        }
      };
      this.addEventListener('message', this.#listener);
    }

    #schedule() {
      if (!this.#isStarted || this.#isScheduled || this.#waiting.length === 0) return;
      this.#isScheduled = true;
      native.setTimeout(() => {
        this.#isScheduled = false;
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const data of waiting) this.dispatchEvent(new MessageEvent('message', { data, source: this }));
      }, 0);
    }
  }

  class MessageChannel {
    constructor() {
      this.port1 = new MessagePort(ours);
      this.port2 = new MessagePort(ours);
      entangle(this.port1, this.port2);
    }
  }

  for (const constructor of [MessageEvent, MessagePort, MessageChannel]) native.tag(constructor);
  return { MessageChannel, MessagePort, MessageEvent };
})
