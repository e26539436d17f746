// Request, Response and fetch: https://fetch.spec.whatwg.org/
// A body keeps its source (text, bytes, a Blob) as it was given and becomes a stream only when asked for one.
(function (native) {
  'use strict';
  const { Headers } = native;
  const MAX_REDIRECTS = 20;
  const NULL_BODY_STATUS = [101, 204, 205, 304];
  const REDIRECT_STATUS = [301, 302, 303, 307, 308];
  const USED = 'Body has already been used. It can only be used once. Use tee() first if you need to read it twice.';
  const EMPTY = new Uint8Array(0);

  // Whether a value is of another group's class. If that group is not built, there can be none of it.
  const is = (value, name) => {
    const constructor = native.built(name);
    return constructor !== undefined && value instanceof constructor;
  };

  // ---- bodies ------------------------------------------------------------------------------------

  // One of: {text}, {bytes}, {blob}, {stream}; `used` once it is read.
  class Source {
    used = false;
    stream = null;
    constructor(kind, value) {
      this.kind = kind;
      this.value = value;
      if (kind === 'stream') this.stream = value;
    }

    isUsed() { return this.used; }
    isLocked() { return this.stream !== null && this.stream.locked; }

    // The bytes, of which the caller becomes the only owner if `copy` is set.
    async bytes(copy) {
      if (this.stream !== null) return collect(this.stream);
      if (this.kind === 'text') return native.encode(this.value);
      if (this.kind === 'blob') return native.use('bytesOfBlob')(this.value);
      return copy ? this.value.slice() : this.value;
    }

    asStream() {
      if (this.stream === null) {
        const source = this;
        const { kind, value } = this;
        this.stream = new (native.use('ReadableStream'))({
          type: 'bytes',
          pull(controller) {
            source.used = true;
            const bytes = kind === 'text' ? native.encode(value)
              : kind === 'blob' ? native.use('bytesOfBlob')(value) : value.slice();
            if (bytes.length > 0) controller.enqueue(bytes);
            controller.close();
            controller.byobRequest?.respond(0);
          },
          cancel() { source.used = true; },
        }, { highWaterMark: 0 });
      }
      return this.stream;
    }

    // A second source of the same bytes.
    clone() {
      if (this.stream === null) return new Source(this.kind, this.value);
      const [one, two] = this.stream.tee();
      this.stream = one;
      return new Source('stream', two);
    }
  }

  const collect = async (stream) => {
    const reader = stream.getReader();
    const chunks = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        const error = new TypeError('This ReadableStream did not return bytes.');
        reader.cancel(error).catch(() => {});
        throw error;
      }
      chunks.push(value);
      length += value.length;
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

  // The source of what was passed as a body, with its content type.
  const source = (kind, value, type) => {
    const result = new Source(kind, value);
    result.type = type;
    return result;
  };
  const extract = (body) => {
    if (body === null || body === undefined) return null;
    if (typeof body === 'string') return source('text', body, 'text/plain;charset=UTF-8');
    if (typeof body === 'object') {
      if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return source('bytes', native.bytesOf(body).slice(), null);
      if (is(body, 'ReadableStream')) {
        if (body.locked) throw new TypeError('This ReadableStream is currently locked to a reader.');
        return source('stream', body, null);
      }
      if (is(body, 'URLSearchParams')) return source('text', body.toString(), 'application/x-www-form-urlencoded;charset=UTF-8');
      if (is(body, 'Blob')) return source('blob', body, body.type || null);
      if (is(body, 'FormData')) {
        const [blob, type] = native.use('encodeForm')(body);
        return source('blob', blob, type);
      }
    }
    return source('text', `${body}`, 'text/plain;charset=UTF-8');
  };

  let sourceOf;
  let setSource;

  class Body {
    #source = null;
    static {
      sourceOf = (body) => body.#source;
      setSource = (body, source) => { body.#source = source; };
    }

    get body() { return this.#source === null ? null : this.#source.asStream(); }
    get bodyUsed() { return this.#source !== null && this.#source.isUsed(); }

    #take(copy) {
      const source = this.#source;
      if (source === null) return null;
      if (source.isUsed()) throw new TypeError(USED);
      if (source.isLocked()) throw new TypeError('This ReadableStream is currently locked to a reader.');
      source.used = true;
      return source.bytes(copy);
    }

    async bytes() { return (await this.#take(true)) ?? new Uint8Array(0); }
    async arrayBuffer() {
      const bytes = await this.bytes();
      return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    }
    async text() {
      const source = this.#source;
      if (source !== null && source.kind === 'text' && source.stream === null && !source.used) {
        source.used = true;
        return source.value.toWellFormed();
      }
      return native.decodeUtf8((await this.#take(false)) ?? EMPTY);
    }
    async json() { return JSON.parse(await this.text()); }
    async blob() {
      const type = this.headers.get('content-type') ?? '';
      return new (native.use('Blob'))([(await this.#take(false)) ?? EMPTY], { type });
    }
    async formData() {
      const type = this.headers.get('content-type') ?? '';
      const bytes = (await this.#take(false)) ?? EMPTY;
      const form = native.use('parseForm')(type, bytes);
      if (form === null) throw new TypeError(`Unrecognized Content-Type header value. FormData can only be parsed from multipart/form-data or application/x-www-form-urlencoded, not "${type}".`);
      return form;
    }
  }

  const headersOf = (init) => (init === undefined || init === null ? new Headers() : new Headers(init));

  // ---- requests ----------------------------------------------------------------------------------

  const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];
  const UPPER_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH'];
  const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

  const methodOf = (method) => {
    if (UPPER_METHODS.includes(method)) return method;
    method = `${method}`;
    const upper = method.toUpperCase();
    if (!TOKEN.test(method) || FORBIDDEN_METHODS.includes(upper)) throw new TypeError(`Invalid HTTP method string: ${method}`);
    return UPPER_METHODS.includes(upper) ? upper : method;
  };

  const absolute = (input) => {
    const href = native.absoluteUrl(`${input}`);
    if (href === undefined) throw new TypeError(`Invalid URL: ${input}`);
    return href;
  };

  class Request extends Body {
    #url;
    #method;
    #headers;
    #signal;
    #redirect;
    #cf;

    constructor(input, init) {
      if (arguments.length === 0) throw new TypeError("Failed to construct 'Request': 1 argument required, but only 0 present.");
      super();
      init ??= {};
      if (typeof init !== 'object') throw new TypeError("Failed to construct 'Request': the second argument is not an object.");
      const from = typeof input === 'object' && input !== null && #url in input ? input : null;
      this.#url = from ? from.#url : absolute(input);
      this.#method = init.method === undefined ? from?.#method ?? 'GET' : methodOf(init.method);
      this.#headers = headersOf(init.headers ?? from?.headers);
      this.#redirect = init.redirect ?? from?.#redirect ?? 'follow';
      if (!['follow', 'manual', 'error'].includes(this.#redirect)) {
        throw new TypeError(`Invalid redirect value, must be one of "follow", "manual" or "error", not "${this.#redirect}".`);
      }
      this.#cf = init.cf ?? from?.#cf;
      const signal = init.signal === undefined ? from?.#signal : init.signal;
      if (signal !== null && signal !== undefined && !is(signal, 'AbortSignal')) {
        throw new TypeError("Failed to construct 'Request': member signal is not of type AbortSignal.");
      }
      this.#signal = signal ?? null;

      const given = init.body ?? null;
      if (given !== null && (this.#method === 'GET' || this.#method === 'HEAD')) {
        throw new TypeError('Request with a GET or HEAD method cannot have a body.');
      }
      if (given !== null) {
        const source = extract(given);
        if (source.type && !this.#headers.has('content-type')) this.#headers.set('content-type', source.type);
        setSource(this, source);
      } else if (from) {
        const source = sourceOf(from);
        if (source !== null) {
          if (source.isUsed() || source.isLocked()) throw new TypeError(USED);
          // The body moves: the other request is used up.
          const moved = new Source(source.stream ? 'stream' : source.kind, source.stream ?? source.value);
          source.used = true;
          setSource(this, moved);
        }
      }
    }

    get url() { return this.#url; }
    get method() { return this.#method; }
    get headers() { return this.#headers; }
    get redirect() { return this.#redirect; }
    get signal() { return this.#signal ??= new (native.use('AbortController'))().signal; }
    get cf() { return this.#cf; }
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
      const source = sourceOf(this);
      if (source !== null && (source.isUsed() || source.isLocked())) throw new TypeError(USED);
      const copy = new Request(this.#url, {
        method: this.#method, headers: this.#headers, redirect: this.#redirect, signal: this.#signal, cf: this.#cf,
      });
      if (source !== null) setSource(copy, source.clone());
      return copy;
    }
  }

  // ---- responses ---------------------------------------------------------------------------------

  let receive;

  class Response extends Body {
    #status = 200;
    #statusText = '';
    #headers;
    #url = '';
    #redirected = false;
    #type = 'default';
    #webSocket = null;
    #cf;

    constructor(body, init) {
      super();
      init ??= {};
      if (typeof init !== 'object') throw new TypeError("Failed to construct 'Response': the second argument is not an object.");
      const status = init.status === undefined ? 200 : Number(init.status) & 0xFFFF;
      if (!(status === 101 || (status >= 200 && status <= 599))) {
        throw new RangeError(`Responses may only be constructed with status codes in the range 200 to 599, inclusive, not ${init.status}.`);
      }
      const statusText = init.statusText === undefined ? '' : `${init.statusText}`;
      if (statusText !== '' && /[^\t\x20-\x7E\x80-\xFF]/.test(statusText)) throw new TypeError('Invalid statusText');
      this.#status = status;
      this.#statusText = statusText;
      this.#headers = headersOf(init.headers);
      this.#webSocket = init.webSocket ?? null;
      this.#cf = init.cf;
      const source = extract(body);
      if (source !== null) {
        if (NULL_BODY_STATUS.includes(status)) throw new TypeError('Response with null body status (101, 204, 205, or 304) cannot have a body.');
        if (source.type && !this.#headers.has('content-type')) this.#headers.set('content-type', source.type);
        setSource(this, source);
      }
    }

    get status() { return this.#status; }
    get statusText() { return this.#statusText; }
    get ok() { return this.#status >= 200 && this.#status < 300; }
    get headers() { return this.#headers; }
    get url() { return this.#url; }
    get redirected() { return this.#redirected; }
    get type() { return this.#type; }
    get webSocket() { return this.#webSocket; }
    get cf() { return this.#cf; }

    clone() {
      const source = sourceOf(this);
      if (source !== null && (source.isUsed() || source.isLocked())) throw new TypeError(USED);
      const copy = new Response(null, { headers: this.#headers });
      copy.#status = this.#status;
      copy.#statusText = this.#statusText;
      copy.#url = this.#url;
      copy.#redirected = this.#redirected;
      copy.#type = this.#type;
      copy.#cf = this.#cf;
      if (source !== null) setSource(copy, source.clone());
      return copy;
    }

    static error() {
      const response = new Response(null);
      response.#status = 0;
      response.#type = 'error';
      return response;
    }

    static redirect(url, status = 302) {
      if (!REDIRECT_STATUS.includes(status)) {
        throw new RangeError(`${status} is not a redirect status code.`);
      }
      return new Response(null, { status, headers: { location: absolute(url) } });
    }

    static json(data, init) {
      const text = JSON.stringify(data);
      if (text === undefined) throw new TypeError('Value is not JSON serializable');
      const headers = headersOf(init?.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(text, { ...init, headers });
    }

    static {
      receive = (answer, url, redirected) => {
        const response = new Response(null);
        response.#status = answer.status;
        response.#statusText = answer.statusText;
        const pairs = answer.headers;
        for (let i = 0; i < pairs.length; i += 2) response.#headers.append(pairs[i], pairs[i + 1]);
        response.#url = url;
        response.#redirected = redirected;
        response.#type = 'basic';
        if (!NULL_BODY_STATUS.includes(answer.status)) {
          setSource(response, new Source('stream', new (native.use('ReadableStream'))({
            type: 'bytes',
            async pull(controller) {
              const chunk = await answer.read();
              if (chunk !== undefined) return controller.enqueue(chunk);
              controller.close();
              controller.byobRequest?.respond(0);
            },
            cancel() { answer.cancel(); },
          }, { highWaterMark: 0 })));
        }
        return response;
      };
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

  const fetch = async function fetch(input, init) {
    const request = new Request(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : null);
    signal?.throwIfAborted();
    const URL = native.use('URL');
    let url = request.url;
    let method = request.method;
    const headers = request.headers;
    const source = sourceOf(request);
    let body = null;
    if (source !== null) {
      if (source.isUsed()) throw new TypeError(USED);
      source.used = true;
      body = await unlessAborted(signal, source.bytes(true));
    }
    // Nothing leaves before everything written so far is durable.
    await unlessAborted(signal, native.outputGate());

    for (let redirects = 0; ; redirects++) {
      const { protocol } = new URL(url);
      if (protocol === 'data:' && redirects === 0) return dataResponse(url);
      if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`Fetch API cannot load: ${url}`);
      const exchange = native.send(method, url, [...headers].flat(), body);
      const answer = await unlessAborted(signal, exchange.answer, exchange.cancel);
      const location = REDIRECT_STATUS.includes(answer.status) && request.redirect !== 'manual'
        ? answer.headers[answer.headers.findIndex((name, i) => i % 2 === 0 && name === 'location') + 1 || -1]
        : undefined;
      if (location === undefined) {
        if (signal) {
          const read = answer.read;
          answer.read = () => {
            if (signal.aborted) return Promise.reject(signal.reason);
            return unlessAborted(signal, read(), answer.cancel);
          };
        }
        return receive(answer, url, redirects > 0);
      }
      answer.cancel();
      if (request.redirect === 'error') throw new TypeError(`Unexpected redirect to ${location}`);
      if (redirects === MAX_REDIRECTS) throw new TypeError(`Too many redirects: more than ${MAX_REDIRECTS} from ${request.url}`);
      const next = new URL(location, url);
      if (source?.kind === 'stream' && answer.status !== 303) throw new TypeError('A one-time-use body (a ReadableStream) cannot follow a redirect.');
      if ((answer.status === 303 && method !== 'GET' && method !== 'HEAD')
        || ((answer.status === 301 || answer.status === 302) && method === 'POST')) {
        method = 'GET';
        body = null;
        for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']) headers.delete(name);
      }
      // Secrets are for the origin that they were given for.
      if (next.origin !== new URL(url).origin) {
        for (const name of ['authorization', 'cookie', 'host', 'proxy-authorization']) headers.delete(name);
      }
      url = next.href;
    }
  };

  for (const constructor of [Request, Response]) native.tag(constructor);
  return { Request, Response, fetch };
})
