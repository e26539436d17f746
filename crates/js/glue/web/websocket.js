// WebSocket, WebSocketPair and what belongs to them: https://websockets.spec.whatwg.org/ with `accept` and
// hibernation as Workers have them. A handle is one end of a connection (`socket.rs`).
(function (native) {
  'use strict';
  const { Event, EventTarget, MessageEvent } = native;
  const ours = Symbol('ours');
  // Text as it travels: halves of surrogate pairs do not.
  const textOf = (value) => `${value}`.toWellFormed();
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  // ---- events ------------------------------------------------------------------------------------

  class CloseEvent extends Event {
    #code;
    #reason;
    #wasClean;
    constructor(type, init) {
      super(...arguments);
      this.#code = init?.code ?? 0;
      this.#reason = init?.reason ?? '';
      this.#wasClean = !!init?.wasClean;
    }
    get code() { return this.#code; }
    get reason() { return this.#reason; }
    get wasClean() { return this.#wasClean; }
  }
  class ErrorEvent extends Event {
    #message;
    #filename;
    #lineno;
    #colno;
    #error;
    constructor(type, init) {
      super(...arguments);
      this.#message = init?.message ?? '';
      this.#filename = init?.filename ?? '';
      this.#lineno = init?.lineno ?? 0;
      this.#colno = init?.colno ?? 0;
      this.#error = init?.error;
    }
    get message() { return this.#message; }
    get filename() { return this.#filename; }
    get lineno() { return this.#lineno; }
    get colno() { return this.#colno; }
    get error() { return this.#error; }
  }

  // ---- sockets -----------------------------------------------------------------------------------

  const CONNECTING = 0;
  const OPEN = 1;
  const CLOSING = 2;
  const CLOSED = 3;
  const NOT_ACCEPTED = 'You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.';
  const syntax = (what) => new DOMException(`WebSocket Constructor: ${what}`, 'SyntaxError');

  // What becomes of an end: nothing yet, events here, events of the object, or it went into a response.
  const FRESH = 0;
  const ACCEPTED = 1;
  const HIBERNATABLE = 2;
  const RELEASED = 3;
  const OPENING = 4;

  const parseUrl = (url) => {
    let parsed;
    try {
      parsed = new (native.use('URL'))(url);
    } catch {
      throw syntax('The url is invalid.');
    }
    if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') throw syntax('The url scheme must be ws or wss.');
    if (parsed.hash !== '') throw syntax('The url fragment must be empty.');
    return parsed;
  };
  const parseProtocols = (protocols) => {
    if (protocols === undefined) return '';
    if (!Array.isArray(protocols)) {
      const protocol = textOf(protocols);
      if (!native.isProtocol(protocol)) throw syntax('The protocol header token is invalid.');
      return protocol;
    }
    const seen = new Set();
    for (const protocol of protocols) {
      if (!native.isProtocol(textOf(protocol))) throw syntax('One of the protocol header tokens is invalid.');
      if (seen.has(`${protocol}`)) throw syntax('The protocols header cannot have repeating values.');
      seen.add(`${protocol}`);
    }
    return [...seen].join(', ');
  };

  let internals;
  class WebSocket extends EventTarget {
    #handle;
    #mode = FRESH;
    #closedOut = false;
    #closedIn = false;
    #failed = false;
    #halfOpen = false;
    #binaryType = 'blob';
    #url = null;
    #protocol = '';
    #extensions = '';
    #cancel;
    #listeners = {};
    #peer;

    constructor(url, protocols) {
      super();
      if (url === ours) {
        this.#handle = protocols;
        return;
      }
      if (arguments.length === 0) throw new TypeError("Failed to construct 'WebSocket': constructor parameter 1 is not of type 'string'.");
      const parsed = parseUrl(`${url}`);
      const asked = parseProtocols(protocols);
      this.#url = `${url}`;
      this.#mode = OPENING;
      this.#open(parsed, asked);
    }

    async #open(url, protocols) {
      url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
      try {
        await native.outputGate();
        if (this.#mode !== OPENING) return;
        const asked = protocols === '' ? '' : `\nsec-websocket-protocol\0${protocols}`;
        const exchange = native.send('GET', url.href, `\nupgrade\0websocket${asked}`, null);
        this.#cancel = exchange.cancel;
        const answer = await exchange.answer;
        // What gives the request up keeps it among those that are not answered.
        this.#cancel = undefined;
        if (answer.socket === undefined) {
          answer.body.cancel();
          throw new TypeError(`Failed to establish the WebSocket connection: expected server to reply with HTTP status code 101 (switching protocols), but received ${answer.status} instead.`);
        }
        if (this.#mode !== OPENING) return native.release(answer.socket);
        this.#handle = answer.socket;
        this.#protocol = native.valueIn(answer.headers, '\nsec-websocket-protocol\0') ?? '';
        this.#extensions = native.valueIn(answer.headers, '\nsec-websocket-extensions\0') ?? '';
        this.#mode = FRESH;
        this.#listen();
        this.dispatchEvent(new Event('open'));
      } catch (error) {
        if (this.#mode === OPENING) this.#notOpened(error);
      }
    }
    #notOpened(error) {
      this.#mode = RELEASED;
      this.#closedIn = this.#closedOut = true;
      this.#cancel = undefined;
      this.dispatchEvent(new ErrorEvent('error', { message: `${error?.message ?? error}`, error }));
      this.dispatchEvent(new CloseEvent('close', { code: 1006, reason: 'Failed to establish websocket connection' }));
    }

    #listen() {
      this.#mode = ACCEPTED;
      native.accept(this.#handle);
      native.keepEvent(this.#read());
    }

    async #read() {
      for (;;) {
        const [kind, a, b] = await native.receive(this.#handle);
        switch (kind) {
          case 'text':
            this.dispatchEvent(new MessageEvent('message', { data: a }));
            break;
          case 'binary':
            this.dispatchEvent(new MessageEvent('message', { data: this.#binaryType === 'blob' ? new (native.use('Blob'))([a]) : a }));
            break;
          case 'close':
            this.#closedIn = true;
            if (!this.#halfOpen) this.#answer(a, b);
            this.dispatchEvent(new CloseEvent('close', { code: a, reason: b, wasClean: true }));
            return;
          case 'error':
            this.#fail();
            this.dispatchEvent(new ErrorEvent('error', { message: b, error: new Error(b) }));
            return;
          default:
            this.#fail();
            this.dispatchEvent(new CloseEvent('close', { code: a, reason: b }));
            return;
        }
      }
    }

    #answer(code, reason) {
      if (this.#closedOut) return;
      this.#closedOut = true;
      native.close(this.#handle, code, reason);
    }
    #fail() {
      this.#closedIn = true;
      this.#failed = true;
    }

    accept(options) {
      if (this.#mode === OPENING || this.#url !== null) throw new TypeError("Websockets obtained from the 'new WebSocket()' constructor cannot call accept");
      if (this.#mode === RELEASED) throw new TypeError("Can't accept() WebSocket that was already used in a response.");
      if (this.#mode === HIBERNATABLE) throw new TypeError("Can't accept() WebSocket after enabling hibernation.");
      if (this.#mode === ACCEPTED) return;
      this.#halfOpen = !!options?.allowHalfOpen;
      this.#listen();
    }

    send(message) {
      if (ArrayBuffer.isView(message)) message = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
      if (message === undefined) throw new TypeError("Failed to execute 'send' on 'WebSocket': parameter 1 is not of type 'ArrayBuffer or ArrayBufferView or string'.");
      if (this.#mode === HIBERNATABLE) {
        if (!native.transmit(this.#handle, message)) throw new TypeError("Can't call WebSocket send() after close().");
        return;
      }
      if (this.#closedOut) throw new TypeError("Can't call WebSocket send() after close().");
      if (this.#mode === RELEASED || this.#failed) return;
      if (this.#mode !== ACCEPTED) throw new TypeError(NOT_ACCEPTED);
      native.transmit(this.#handle, message);
    }

    close(code, reason) {
      if (this.#mode === OPENING) {
        this.#mode = RELEASED;
        this.#closedOut = true;
        this.#cancel?.();
        Promise.resolve().then(() => this.#notOpened(new Error('WebSocket was closed before the connection was established.')));
        return;
      }
      const isClosed = this.#mode === HIBERNATABLE ? native.state(this.#handle)[0] : this.#closedOut;
      if (isClosed || this.#mode === RELEASED || this.#failed) return;
      if (this.#mode === FRESH) throw new TypeError(NOT_ACCEPTED);
      if (code !== undefined) {
        code = Math.trunc(Number(code)) || 0;
        if (!native.isCloseCode(code)) throw new DOMException(`Invalid WebSocket close code: ${code}.`, 'InvalidAccessError');
      }
      if (reason !== undefined) {
        if (code === undefined) throw new DOMException('If you specify a WebSocket close reason, you must also specify a code.', 'InvalidAccessError');
        reason = textOf(reason);
        if (native.utf8Length(reason) > 123) throw new DOMException('WebSocket close reason must not be longer than 123 bytes when UTF-8 encoded.', 'SyntaxError');
      }
      this.#closedOut = true;
      native.close(this.#handle, code ?? 1005, reason ?? '');
    }

    serializeAttachment(value) {
      if (this.#handle === undefined) throw new TypeError('The WebSocket is not connected.');
      native.attach(this.#handle, value);
    }
    deserializeAttachment() { return this.#handle === undefined ? null : native.attachment(this.#handle); }

    get readyState() {
      if (this.#mode === OPENING) return CONNECTING;
      const [closedOut, closedIn] = this.#mode === HIBERNATABLE ? native.state(this.#handle) : [this.#closedOut, this.#closedIn];
      if (this.#failed || (closedOut && closedIn)) return CLOSED;
      return closedOut || closedIn ? CLOSING : OPEN;
    }
    get url() { return this.#url; }
    get protocol() { return this.#protocol; }
    get extensions() { return this.#extensions; }
    get binaryType() { return this.#binaryType; }
    set binaryType(value) { if (value === 'blob' || value === 'arraybuffer') this.#binaryType = value; }

    static {
      const isOurs = (value) => isObject(value) && #handle in value;
      const listenerOf = (socket, type) => socket.#listeners[type] ?? null;
      for (const type of ['open', 'message', 'close', 'error']) {
        Object.defineProperty(this.prototype, `on${type}`, {
          enumerable: true,
          configurable: true,
          get() { return listenerOf(this, type); },
          set(callback) {
            if (this.#listeners[type]) this.removeEventListener(type, this.#listeners[type]);
            this.#listeners[type] = typeof callback === 'function' ? callback : null;
            if (this.#listeners[type]) this.addEventListener(type, callback);
          },
        });
      }
      internals = {
        isOurs,
        // The handle of what goes into a response, whose end is no longer here then.
        release(socket) {
          if (!isOurs(socket)) throw new TypeError("Failed to construct 'Response': the webSocket is not a WebSocket.");
          if (socket.#url !== null) throw new TypeError("Can't return WebSocket in a Response if it was created with `new WebSocket()`");
          if (socket.#mode === RELEASED) throw new TypeError("Can't return WebSocket that was already used in a response.");
          if (socket.#mode === HIBERNATABLE) throw new TypeError("Can't return WebSocket in a Response after calling acceptWebSocket().");
          if (socket.#mode === ACCEPTED) throw new TypeError("Can't return WebSocket in a Response after calling accept().");
          socket.#mode = RELEASED;
          return socket.#handle;
        },
        hibernate(socket, tags) {
          if (!isOurs(socket)) throw new TypeError("Failed to execute 'acceptWebSocket' on 'DurableObjectState': parameter 1 is not of type 'WebSocket'.");
          if (socket.#mode === ACCEPTED || socket.#mode === HIBERNATABLE || socket.#url !== null) throw new Error('Cannot call `acceptWebSocket()` if the WebSocket was already accepted via `accept()`');
          const peer = socket.#peer?.deref();
          if (socket.#mode === RELEASED || (peer !== undefined && peer.#mode !== FRESH)) throw new Error('Cannot call `acceptWebSocket()` on this WebSocket because its pair has already been accepted or used in a Response.');
          const id = native.hibernate(socket.#handle, tags);
          socket.#mode = HIBERNATABLE;
          return id;
        },
        wake(handle) {
          const socket = new WebSocket(ours, handle);
          socket.#mode = HIBERNATABLE;
          return socket;
        },
        connect(first, second) {
          first.#peer = new WeakRef(second);
          second.#peer = new WeakRef(first);
        },
        isHibernatable: (socket) => socket.#mode === HIBERNATABLE,
        isAccepted: (socket) => socket.#mode === ACCEPTED,
        handleOf: (socket) => socket.#handle,
      };
    }
  }
  for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
    for (const constant of [name, `READY_STATE_${name}`]) {
      Object.defineProperty(WebSocket, constant, { value, enumerable: true });
      Object.defineProperty(WebSocket.prototype, constant, { value, enumerable: true });
    }
  }

  class WebSocketPair {
    constructor() {
      const [first, second] = native.pair();
      this[0] = new WebSocket(ours, first);
      this[1] = new WebSocket(ours, second);
      internals.connect(this[0], this[1]);
    }
    *[Symbol.iterator]() {
      yield this[0];
      yield this[1];
    }
  }

  // ---- hibernation -------------------------------------------------------------------------------

  const MAX_TAGS = 10;
  const MAX_TAG = 256;
  const MAX_AUTO = 2048;
  const MAX_TIMEOUT = 604_800_000;

  class WebSocketRequestResponsePair {
    #request;
    #response;
    constructor(request, response) {
      if (arguments.length < 2) throw new TypeError(`Failed to construct 'WebSocketRequestResponsePair': constructor parameter ${arguments.length + 1} is not of type 'string'.`);
      this.#request = textOf(request);
      this.#response = textOf(response);
    }
    get request() { return this.#request; }
    get response() { return this.#response; }
  }

  // One object for each socket while the instance lives.
  const awake = new Map();
  const socketOf = (id) => {
    let socket = awake.get(id);
    if (socket === undefined) {
      const handle = native.hibernating(id);
      if (handle === undefined) return undefined;
      socket = internals.wake(handle);
      awake.set(id, socket);
    }
    return socket;
  };
  const within = (timeout, kind, work) => new Promise((resolve, reject) => {
    const result = work();
    const timer = native.setTimeout(() => reject(new Error(`The handler of a WebSocket's ${kind} took longer than ${timeout} ms.`)), timeout);
    Promise.resolve(result).then(resolve, reject).finally(() => native.clearTimeout(timer));
  });
  const hibernation = {
    accept(socket, tags) {
      const distinct = new Set();
      for (const given of tags ?? []) {
        const tag = textOf(given);
        if (distinct.size === MAX_TAGS) throw new Error(`a Hibernatable WebSocket cannot have more than ${MAX_TAGS} tags`);
        distinct.add(tag);
        if (tag.length > MAX_TAG) throw new Error(`"${tag}" is longer than the max tag length (${MAX_TAG} characters).`);
      }
      awake.set(internals.hibernate(socket, [...distinct]), socket);
    },
    list: (tag) => native.hibernatingIds(tag === undefined ? undefined : textOf(tag)).map(socketOf),
    tags(socket) {
      if (!internals.isOurs(socket)) throw new TypeError("Failed to execute 'getTags' on 'DurableObjectState': parameter 1 is not of type 'WebSocket'.");
      if (internals.isHibernatable(socket)) return native.tags(internals.handleOf(socket));
      if (internals.isAccepted(socket)) throw new Error('only hibernatable websockets can have tags.');
      throw new Error("you must call 'acceptWebSocket()' before attempting to access the tags of a WebSocket.");
    },
    setAutoResponse(pair) {
      if (pair === undefined || pair === null) return native.setAutoResponse();
      if (!(pair instanceof WebSocketRequestResponsePair)) throw new TypeError("Failed to execute 'setWebSocketAutoResponse' on 'DurableObjectState': parameter 1 is not of type 'WebSocketRequestResponsePair'.");
      for (const [name, text] of [['Request', pair.request], ['Response', pair.response]]) {
        const size = native.utf8Length(text);
        if (size > MAX_AUTO) throw new RangeError(`${name} cannot be larger than ${MAX_AUTO} bytes. A ${name.toLowerCase()} of size ${size} was provided.`);
      }
      native.setAutoResponse(pair.request, pair.response);
    },
    autoResponse() {
      const pair = native.autoResponse();
      return pair === null ? null : new WebSocketRequestResponsePair(...pair);
    },
    autoResponseTime(socket) {
      if (!internals.isOurs(socket)) throw new TypeError("Failed to execute 'getWebSocketAutoResponseTimestamp' on 'DurableObjectState': parameter 1 is not of type 'WebSocket'.");
      const time = native.autoResponded(internals.handleOf(socket));
      return time === null ? null : new Date(time);
    },
    setEventTimeout(timeout) {
      const ms = timeout === undefined || timeout === null ? 0 : Number(timeout);
      if (ms > MAX_TIMEOUT) throw new Error(`Event timeout should not exceed ${MAX_TIMEOUT} ms.`);
      native.setEventTimeout(ms > 0 ? ms : 0);
    },
    eventTimeout: () => native.eventTimeout(),
    // The handler of `target` for what arrived on a socket; what it gives, with the time that it may take.
    dispatch(target, id, kind, a, b) {
      const socket = socketOf(id);
      if (socket === undefined) return undefined;
      const call = (name, ...args) => (typeof target[name] === 'function' ? target[name](socket, ...args) : undefined);
      const work = () => {
        switch (kind) {
          case 'message': return call('webSocketMessage', a);
          case 'close': return call('webSocketClose', a, b, true);
          case 'error': return call('webSocketError', new Error(b));
          default: return call('webSocketClose', a, b, false);
        }
      };
      const timeout = native.eventTimeout();
      const run = () => (timeout === null ? work() : within(timeout, kind, work));
      if (kind === 'message') return run();
      // It is listed until the handler is through, or has thrown.
      return new Promise((resolve) => resolve(run())).finally(() => awake.delete(id));
    },
  };
  for (const constructor of [CloseEvent, ErrorEvent, WebSocket, WebSocketPair, WebSocketRequestResponsePair]) native.tag(constructor);
  return {
    CloseEvent, ErrorEvent, WebSocket, WebSocketPair, WebSocketRequestResponsePair,
    hibernation,
    socketOfHandle: (handle) => new WebSocket(ours, handle),
    releaseSocket: internals.release,
  };
})
