// Request, Response and fetch: https://fetch.spec.whatwg.org/
// A body keeps its source (text, bytes, a Blob, a pull source of Rust) as it was given, and becomes a stream only
// when asked for one; headers stay one text (headers.js) until asked for. What Rust and other glue use of messages
// is at the end of the file.
(function (native) {
  'use strict';
  const { headersOfText, textOfHeaders, textOfInit, valueIn, without } = native;
  const MAX_REDIRECTS = 20;
  const NULL_BODY_STATUS = [101, 204, 205, 304];
  const REDIRECT_STATUS = [301, 302, 303, 307, 308];
  const USED = 'Body has already been used. It can only be used once. Use tee() first if you need to read it twice.';
  const LOCKED = 'This ReadableStream is currently locked to a reader.';
  const CONTENT_TYPE = '\ncontent-type\0';
  const TEXT_TYPE = `${CONTENT_TYPE}text/plain;charset=UTF-8`;
  const FORM_TYPE = `${CONTENT_TYPE}application/x-www-form-urlencoded;charset=UTF-8`;
  const JSON_TYPE = `${CONTENT_TYPE}application/json`;

  // What a message keeps, in one array: a private field for each value would cost more than all the rest of
  // making a message.
  const BODY_KIND = 0; // null, 'text', 'bytes', 'blob', 'stream' or 'pull' ({ read, cancel })
  const BODY = 1; // of that kind; null once it is used or has become a stream
  const STREAM = 2; // the body as a stream, if it is one by now
  const USED_UP = 3;
  const HEADER_TEXT = 4; // until there is a `Headers`
  const HEADERS = 5;
  const CF = 6;
  const URL_TEXT = 7;
  // Of requests.
  const METHOD = 8;
  const SIGNAL = 9;
  const REDIRECT = 10;
  const EVENT = 11; // that it came with, or null: then its signal is the client's, and goes with no copy
  // Of responses.
  const STATUS = 8;
  const STATUS_TEXT = 9;
  const REDIRECTED = 10;
  const TYPE = 11;
  const WEB_SOCKET = 12;

  // Tells a state of ours from what a program passes.
  const ours = Symbol();

  // Whether a value is of another group's class. If that group is not built, there can be none of it.
  const is = (value, name) => {
    const constructor = native.built(name);
    return constructor !== undefined && value instanceof constructor;
  };

  // ---- bodies ------------------------------------------------------------------------------------

  const isUsed = (state) => state[USED_UP] || (state[STREAM] !== null && native.use('isDisturbed')(state[STREAM]));
  const checkUnused = (state) => {
    if (isUsed(state)) throw new TypeError(USED);
    if (state[STREAM] !== null && state[STREAM].locked) throw new TypeError(LOCKED);
  };

  const chunkBytes = (chunk) => {
    if (chunk instanceof Uint8Array) return chunk;
    if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return native.bytesOf(chunk);
    throw new TypeError('This ReadableStream did not return bytes.');
  };
  // A pull source over a stream: `read` gives bytes, or nothing at the end.
  const sourceOfStream = (stream) => {
    const reader = new (native.use('Reader'))(native.use('readableOf')(stream), 'default');
    const cancel = (reason) => reader.held().cancel(reason);
    return {
      cancel,
      async read() {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return undefined;
          try {
            const bytes = chunkBytes(value);
            if (bytes.length > 0) return bytes;
          } catch (error) {
            cancel(error).catch(() => {});
            throw error;
          }
        }
      },
    };
  };
  const collect = async (source) => {
    const chunks = [];
    let length = 0;
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
      chunks.push(chunk);
      length += chunk.length;
    }
    if (chunks.length === 1) return chunks[0];
    const all = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  };

  const bytesOfKind = (kind, value) => (kind === 'text' ? native.encode(value) : kind === 'blob' ? native.use('bytesOfBlob')(value) : value);

  // Takes the body away: null, text, bytes, or a pull source of what is not here yet.
  const take = (state) => {
    if (state[BODY_KIND] === null) return null;
    checkUnused(state);
    const kind = state[BODY_KIND];
    const body = state[BODY];
    state[USED_UP] = true;
    state[BODY] = null;
    if (state[STREAM] !== null) return sourceOfStream(state[STREAM]);
    return kind === 'blob' ? native.use('bytesOfBlob')(body) : body;
  };
  // The body as bytes, of which the caller is the only owner, through `convert`.
  const read = (state, convert) => {
    const body = take(state);
    if (body === null) return convert(new Uint8Array(0));
    if (typeof body === 'string') return convert(native.encode(body));
    return body instanceof Uint8Array ? convert(body) : collect(body).then(convert);
  };

  const pullSource = (kind, body, state) => {
    if (kind === 'pull') {
      return {
        type: 'bytes',
        async pull(controller) {
          const chunk = await body.read();
          if (chunk !== undefined) return controller.enqueue(chunk);
          controller.close();
          controller.byobRequest?.respond(0);
        },
        cancel: (reason) => body.cancel(reason),
      };
    }
    return {
      type: 'bytes',
      pull(controller) {
        const bytes = bytesOfKind(kind, body);
        if (bytes.length > 0) controller.enqueue(bytes);
        controller.close();
        controller.byobRequest?.respond(0);
      },
    };
  };
  const streamOf = (state) => {
    if (state[STREAM] === null) {
      const ReadableStream = native.use('ReadableStream');
      // A body that was read without a stream is a stream that has ended.
      const source = state[USED_UP] ? { type: 'bytes', start(controller) { controller.close(); } } : pullSource(state[BODY_KIND], state[BODY]);
      state[STREAM] = new ReadableStream(source, { highWaterMark: 0 });
      state[BODY] = null;
    }
    return state[STREAM];
  };

  // Puts what was passed as a body into a state, and returns the header of its content type.
  const put = (state, kind, value, type) => {
    state[BODY_KIND] = kind;
    if (kind === 'stream') state[STREAM] = value;
    else state[BODY] = value;
    return type;
  };
  const extract = (state, body) => {
    if (typeof body === 'string') return put(state, 'text', body, TEXT_TYPE);
    if (typeof body === 'object') {
      if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return put(state, 'bytes', native.bytesOf(body).slice(), null);
      if (is(body, 'ReadableStream')) {
        if (body.locked) throw new TypeError(LOCKED);
        if (native.use('isDisturbed')(body)) throw new TypeError(USED);
        return put(state, 'stream', body, null);
      }
      if (is(body, 'URLSearchParams')) return put(state, 'text', body.toString(), FORM_TYPE);
      if (is(body, 'Blob')) return put(state, 'blob', body, body.type ? CONTENT_TYPE + body.type : null);
      if (is(body, 'FormData')) {
        const [blob, type] = native.use('encodeForm')(body);
        return put(state, 'blob', blob, CONTENT_TYPE + type);
      }
    }
    return put(state, 'text', `${body}`, TEXT_TYPE);
  };
  const addType = (state, type) => {
    if (type === null) return;
    if (state[HEADER_TEXT] === '') state[HEADER_TEXT] = type;
    else if (!state[HEADER_TEXT].includes(CONTENT_TYPE)) state[HEADER_TEXT] += type;
  };
  // A body as Rust passes it.
  const putNative = (state, body) => {
    if (body === null || body === undefined) return;
    put(state, typeof body === 'string' ? 'text' : body instanceof Uint8Array ? 'bytes' : 'pull', body, null);
  };
  // Gives `to` the same body; what is not here yet is split in two.
  const share = (from, to) => {
    to[BODY_KIND] = from[BODY_KIND];
    if (from[STREAM] !== null || from[BODY_KIND] === 'pull') {
      [from[STREAM], to[STREAM]] = streamOf(from).tee();
    } else {
      to[BODY] = from[BODY_KIND] === 'bytes' ? from[BODY].slice() : from[BODY];
    }
  };

  const headersOf = (state) => {
    if (state[HEADERS] === null) {
      state[HEADERS] = headersOfText(state[HEADER_TEXT]);
      state[HEADER_TEXT] = '';
    }
    return state[HEADERS];
  };
  const headerText = (state) => (state[HEADERS] === null ? state[HEADER_TEXT] : textOfHeaders(state[HEADERS]));

  let stateOf;
  const parse = (bytes) => JSON.parse(native.decodeUtf8(bytes));
  const bufferOf = (bytes) => (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);

  // Of `Request` and `Response`, by whether `new` is given a state.
  class Body {
    #state;
    constructor(state) { this.#state = state; }
    // `undefined` of what is no message.
    static { stateOf = (value) => (typeof value === 'object' && value !== null && #state in value ? value.#state : undefined); }

    get headers() { return headersOf(this.#state); }
    get body() { return this.#state[BODY_KIND] === null ? null : streamOf(this.#state); }
    get bodyUsed() { return isUsed(this.#state); }

    async bytes() { return read(this.#state, (bytes) => bytes); }
    async arrayBuffer() { return read(this.#state, bufferOf); }
    async text() {
      const state = this.#state;
      if (state[BODY_KIND] === 'text' && state[STREAM] === null && !state[USED_UP]) return take(state).toWellFormed();
      return read(state, native.decodeUtf8);
    }
    async json() {
      const state = this.#state;
      if (state[BODY_KIND] === 'text' && state[STREAM] === null && !state[USED_UP]) return JSON.parse(take(state));
      return read(state, parse);
    }
    async blob() {
      const type = valueIn(headerText(this.#state), CONTENT_TYPE) ?? '';
      return read(this.#state, (bytes) => new (native.use('Blob'))([bytes], { type }));
    }
    async formData() {
      const type = valueIn(headerText(this.#state), CONTENT_TYPE) ?? '';
      return read(this.#state, (bytes) => {
        const form = native.use('parseForm')(type, bytes);
        if (form === null) throw new TypeError(`Unrecognized Content-Type header value. FormData can only be parsed from multipart/form-data or application/x-www-form-urlencoded, not "${type}".`);
        return form;
      });
    }
  }

  // ---- requests ----------------------------------------------------------------------------------

  const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];
  const UPPER_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];
  const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

  const methodOf = (method) => {
    if (UPPER_METHODS.includes(method)) return method;
    method = `${method}`;
    const upper = method.toUpperCase();
    if (!TOKEN.test(method) || FORBIDDEN_METHODS.includes(upper)) throw new TypeError(`Invalid HTTP method string: ${method}`);
    return UPPER_METHODS.includes(upper) ? upper : method;
  };

  const absolute = (input) => {
    const href = native.absoluteUrl(typeof input === 'string' ? input : `${input}`);
    if (href === undefined) throw new TypeError(`Invalid URL: ${input}`);
    return href;
  };

  const requestState = (method, url, headers, signal, redirect, cf, event = null) => [null, null, null, false, headers, null, cf, url, method, signal, redirect, event];

  const signalToPass = (state) => (state[EVENT] === null ? state[SIGNAL] : null);

  // The state of `new Request(input, init)`.
  const initRequest = (input, init) => {
    if (input === undefined) throw new TypeError("Failed to construct 'Request': 1 argument required, but only 0 present.");
    const from = typeof input === 'object' && input instanceof Request ? stateOf(input) : undefined;
    if (init === undefined || init === null) {
      if (from === undefined) return requestState('GET', absolute(input), '', null, 'follow', undefined);
      init = {};
    } else if (typeof init !== 'object') {
      throw new TypeError("Failed to construct 'Request': the second argument is not an object.");
    }
    const url = from === undefined ? absolute(input) : from[URL_TEXT];
    const { method, headers, redirect = from?.[REDIRECT] ?? 'follow', signal = from === undefined ? null : signalToPass(from), body = null, cf = from?.[CF] } = init;
    const state = requestState(
      method === undefined ? from?.[METHOD] ?? 'GET' : methodOf(method), url,
      headers === undefined || headers === null ? (from === undefined ? '' : headerText(from)) : textOfInit(headers),
      signal, redirect, cf,
    );
    if (redirect !== 'follow' && redirect !== 'manual' && redirect !== 'error') {
      throw new TypeError(`Invalid redirect value, must be one of "follow", "manual" or "error", not "${redirect}".`);
    }
    if (signal !== null && !is(signal, 'AbortSignal')) {
      throw new TypeError("Failed to construct 'Request': member signal is not of type AbortSignal.");
    }
    if (body !== null) {
      if (state[METHOD] === 'GET' || state[METHOD] === 'HEAD') throw new TypeError('Request with a GET or HEAD method cannot have a body.');
      addType(state, extract(state, body));
    } else if (from !== undefined && from[BODY_KIND] !== null) {
      // The body moves: the other request is used up.
      checkUnused(from);
      state[BODY_KIND] = from[BODY_KIND];
      state[BODY] = from[BODY];
      state[STREAM] = from[STREAM];
      from[USED_UP] = true;
      from[BODY] = from[STREAM] = null;
    }
    return state;
  };

  class Request extends Body {
    constructor(input, init) { super(input === ours ? init : initRequest(input, init)); }

    get url() { return stateOf(this)[URL_TEXT]; }
    get method() { return stateOf(this)[METHOD]; }
    get redirect() { return stateOf(this)[REDIRECT]; }
    get signal() {
      const state = stateOf(this);
      if (state[SIGNAL] === null) {
        const controller = new (native.use('AbortController'))();
        state[SIGNAL] = controller.signal;
        if (state[EVENT] !== null) {
          native.clientGone(state[EVENT]).then((gone) => {
            if (gone) controller.abort(new DOMException('The client has disconnected', 'AbortError'));
          });
        }
      }
      return state[SIGNAL];
    }
    get cf() { return stateOf(this)[CF]; }
    get mode() { return 'cors'; }
    get credentials() { return 'same-origin'; }
    get cache() { return 'default'; }
    get destination() { return ''; }
    get referrer() { return 'about:client'; }
    get referrerPolicy() { return ''; }
    get integrity() { return ''; }
    get keepalive() { return false; }
    get duplex() { return 'half'; }

    clone() {
      const state = stateOf(this);
      checkUnused(state);
      const copy = requestState(state[METHOD], state[URL_TEXT], headerText(state), signalToPass(state), state[REDIRECT], state[CF]);
      if (state[BODY_KIND] !== null) share(state, copy);
      return new Request(ours, copy);
    }
  }

  // ---- responses ---------------------------------------------------------------------------------

  const responseState = (status, statusText, headers, url, redirected, type, webSocket, cf) => [null, null, null, false, headers, null, cf, url, status, statusText, redirected, type, webSocket];

  const initResponse = (body, init) => {
    let state;
    if (init === undefined || init === null) {
      state = responseState(200, '', '', '', false, 'default', null, undefined);
    } else {
      if (typeof init !== 'object') throw new TypeError("Failed to construct 'Response': the second argument is not an object.");
      const { status = 200, statusText = '', headers, webSocket = null, cf } = init;
      const code = Number(status) & 0xFFFF;
      if (webSocket !== null && code !== 101) throw new RangeError('Responses with a WebSocket must have status code 101.');
      if (!(webSocket !== null || (code >= 200 && code <= 599))) {
        throw new RangeError(`Responses may only be constructed with status codes in the range 200 to 599, inclusive.`);
      }
      const reason = `${statusText}`;
      if (reason !== '' && /[^\t\x20-\x7E\x80-\xFF]/.test(reason)) throw new TypeError('Invalid statusText');
      const text = headers === undefined || headers === null ? '' : textOfInit(headers);
      state = responseState(code, reason, text, '', false, 'default', webSocket, cf);
    }
    if (body !== undefined && body !== null) {
      if (NULL_BODY_STATUS.includes(state[STATUS])) throw new TypeError('Response with null body status (101, 204, 205, or 304) cannot have a body.');
      addType(state, extract(state, body));
    }
    return state;
  };

  class Response extends Body {
    constructor(body, init) { super(body === ours ? init : initResponse(body, init)); }

    get status() { return stateOf(this)[STATUS]; }
    get statusText() { return stateOf(this)[STATUS_TEXT]; }
    get ok() {
      const status = stateOf(this)[STATUS];
      return status >= 200 && status < 300;
    }
    get url() { return stateOf(this)[URL_TEXT]; }
    get redirected() { return stateOf(this)[REDIRECTED]; }
    get type() { return stateOf(this)[TYPE]; }
    get webSocket() { return stateOf(this)[WEB_SOCKET]; }
    get cf() { return stateOf(this)[CF]; }

    clone() {
      const state = stateOf(this);
      checkUnused(state);
      if (state[WEB_SOCKET] !== null) throw new TypeError('Cannot clone a response to a WebSocket handshake.');
      const copy = responseState(state[STATUS], state[STATUS_TEXT], headerText(state), state[URL_TEXT], state[REDIRECTED], state[TYPE], null, state[CF]);
      if (state[BODY_KIND] !== null) share(state, copy);
      return new Response(ours, copy);
    }

    static error() { return new Response(ours, responseState(0, '', '', '', false, 'error', null, undefined)); }

    static redirect(url, status = 302) {
      if (!REDIRECT_STATUS.includes(status)) throw new RangeError(`${status} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.`);
      return new Response(null, { status, headers: { location: absolute(url) } });
    }

    static json(data, init) {
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError('Value is not JSON serializable');
      const state = initResponse(null, init);
      if (NULL_BODY_STATUS.includes(state[STATUS])) throw new TypeError('Response with null body status (101, 204, 205, or 304) cannot have a body.');
      addType(state, put(state, 'text', text, JSON_TYPE));
      return new Response(ours, state);
    }
  }

  // ---- fetch -------------------------------------------------------------------------------------

  // `promise`, unless the signal aborts first; then `cancel` is called.
  const unlessAborted = (signal, promise, cancel) => {
    if (!signal) return promise;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel?.();
        reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  };

  const dataResponse = (url) => {
    const comma = url.indexOf(',');
    if (comma < 0) throw new TypeError(`Invalid data URL: ${url}`);
    const head = url.slice('data:'.length, comma).trim();
    const data = native.percentDecode(url.slice(comma + 1).replace(/#.*$/s, ''));
    const isBase64 = /;\s*base64$/i.test(head);
    const type = head.replace(/;\s*base64$/i, '');
    const bytes = isBase64 ? native.bytesOfLatin1(native.atob(native.latin1(data))) : data;
    const contentType = type === '' ? 'text/plain;charset=US-ASCII' : type.startsWith(';') ? `text/plain${type}` : type;
    return new Response(bytes, { headers: { 'content-type': contentType } });
  };

  // The body of an answer, which ends with the signal's reason when that aborts.
  const abortable = (source, signal) => {
    // The signal may live long after a response that nobody reads.
    const held = new WeakRef(source);
    const onAbort = () => held.deref()?.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    return {
      async read() {
        signal.throwIfAborted();
        try {
          const chunk = await source.read();
          if (chunk === undefined) signal.removeEventListener('abort', onAbort);
          return chunk;
        } catch (error) {
          throw signal.aborted ? signal.reason : error;
        }
      },
      cancel() {
        signal.removeEventListener('abort', onAbort);
        source.cancel();
      },
    };
  };

  const fetch = async function fetch(input, init) {
    const request = initRequest(input, init);
    const signal = request[SIGNAL];
    signal?.throwIfAborted();
    const URL = native.use('URL');
    let url = request[URL_TEXT];
    let method = request[METHOD];
    let headers = request[HEADER_TEXT];
    // Text and bytes can be sent again after a redirect; a source of what is not here yet cannot.
    let body = take(request);
    const isOnce = body !== null && typeof body !== 'string' && !(body instanceof Uint8Array);
    // Nothing leaves before everything written so far is durable.
    await unlessAborted(signal, native.outputGate());

    for (let redirects = 0; ; redirects++) {
      const { protocol } = new URL(url);
      if (protocol === 'data:' && redirects === 0) return dataResponse(url);
      if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`Fetch API cannot load: ${url}`);
      const exchange = native.send(method, url, headers, body);
      const answer = await unlessAborted(signal, exchange.answer, exchange.cancel);
      const location = REDIRECT_STATUS.includes(answer.status) && request[REDIRECT] !== 'manual' ? valueIn(answer.headers, '\nlocation\0') : null;
      if (location === null) {
        const webSocket = answer.socket === undefined ? null : native.use('socketOfHandle')(answer.socket);
        const state = responseState(answer.status, answer.statusText, answer.headers, url, redirects > 0, 'basic', webSocket, undefined);
        if (NULL_BODY_STATUS.includes(answer.status) || method === 'HEAD') answer.body.cancel();
        else put(state, 'pull', signal === null ? answer.body : abortable(answer.body, signal), null);
        return new Response(ours, state);
      }
      answer.body.cancel();
      if (request[REDIRECT] === 'error') throw new TypeError(`Unexpected redirect to ${location}`);
      if (redirects === MAX_REDIRECTS) throw new TypeError(`Too many redirects: more than ${MAX_REDIRECTS} from ${request[URL_TEXT]}`);
      if (isOnce && answer.status !== 303) throw new TypeError('A one-time-use body (a ReadableStream) cannot follow a redirect.');
      const next = new URL(location, url);
      if ((answer.status === 303 && method !== 'GET' && method !== 'HEAD')
        || ((answer.status === 301 || answer.status === 302) && method === 'POST')) {
        method = 'GET';
        body = null;
        for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']) headers = without(headers, `\n${name}\0`);
      }
      // Secrets are for the origin that they were given for.
      if (next.origin !== new URL(url).origin) {
        for (const name of ['authorization', 'cookie', 'host', 'proxy-authorization']) headers = without(headers, `\n${name}\0`);
      }
      url = next.href;
    }
  };

  for (const constructor of [Request, Response]) native.tag(constructor);
  for (const { prototype } of [Request, Response]) {
    // What is said when one is to be cloned: with a body it is the stream that cannot be.
    Object.defineProperty(prototype, Symbol.for('dolmen.platform'), {
      get() {
        const hasBody = this !== Request.prototype && this !== Response.prototype && stateOf(this)[BODY_KIND] !== null;
        return hasBody ? 'ReadableStream can only be serialized for RPC.' : true;
      },
    });
  }

  // ---- for Rust and other glue -------------------------------------------------------------------
  // Nothing is checked here. A body is null, a text, a `Uint8Array` that changes hands, or a pull source:
  // { read, cancel }, where `read` promises a `Uint8Array`, or nothing at the end, and `cancel` takes a reason.

  const internalRequest = (method, url, headers, body, event = null, redirect = 'follow') => {
    const state = requestState(method, url, headers, null, redirect, undefined, event);
    putNative(state, body);
    return new Request(ours, state);
  };
  const internalResponse = (status, statusText, headers, body, url, webSocket) => {
    const state = responseState(status, statusText, headers, url ?? '', false, 'default', webSocket ?? null, undefined);
    putNative(state, body);
    return new Response(ours, state);
  };
  // `undefined` of what is no request: [method, url, header text, redirect, signal or null].
  const partsOfRequest = (value) => {
    if (!(value instanceof Request)) return undefined;
    const state = stateOf(value);
    return [state[METHOD], state[URL_TEXT], headerText(state), state[REDIRECT], state[SIGNAL]];
  };
  // `undefined` of what is no response: [status, status text, header text, WebSocket or null].
  const partsOfResponse = (value) => {
    if (!(value instanceof Response)) return undefined;
    const state = stateOf(value);
    return [state[STATUS], state[STATUS_TEXT], headerText(state), state[WEB_SOCKET]];
  };
  // The body, of which the message has none afterwards. Throws a `TypeError` if it is used or locked.
  const takeBody = (message) => take(stateOf(message));

  return { Request, Response, fetch, internalRequest, internalResponse, partsOfRequest, partsOfResponse, takeBody };
})
