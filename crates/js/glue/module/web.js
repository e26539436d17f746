// Requests, responses, headers, streams and blobs in messages.
(function (native) {
  'use strict';
  const { KIND, push } = native.stubs;
  const is = (name, value) => {
    const constructor = native.built(name);
    return constructor !== undefined && value instanceof constructor;
  };

  // A body in a message: null, bytes, or the number of a stream.
  const bodyOut = (message, caps) => {
    const body = native.use('takeBody')(message);
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) return body;
    return push(caps, native.streamOut(body));
  };
  const bodyIn = (body, caps) => (typeof body === 'number' ? native.streamIn(caps, body) : body);

  // A stream whose reader is `source`, `{ read, cancel }`.
  const readable = (source) => new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      let chunk;
      try {
        chunk = await source.read();
      } catch {
        throw new Error('ReadableStream received over RPC disconnected prematurely.');
      }
      if (chunk !== undefined) return controller.enqueue(chunk);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel() { source.cancel(); },
  }, { highWaterMark: 0 });

  // What reads a stream: text and buffers are taken as their bytes, as byte streams do.
  const sourceOf = (stream) => {
    const reader = stream.getReader();
    return {
      async read() {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return undefined;
          if (value instanceof Uint8Array) {
            if (value.length > 0) return value;
          } else if (value instanceof ArrayBuffer) {
            if (value.byteLength > 0) return new Uint8Array(value);
          } else if (ArrayBuffer.isView(value)) {
            if (value.byteLength > 0) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
          } else {
            throw new TypeError('This ReadableStream did not return bytes.');
          }
        }
      },
      cancel: (reason) => reader.cancel(reason),
    };
  };

  const bytesOf = (chunk) => {
    if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
    if (chunk instanceof Uint8Array) return chunk;
    if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
    if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    throw new TypeError('This WritableStream takes bytes: an ArrayBuffer or a view.');
  };

  const replaceWeb = (value, caps) => {
    if (is('Request', value)) {
      const [method, url, headers, redirect] = native.use('partsOfRequest')(value);
      return [KIND.request, method, url, headers, redirect, bodyOut(value, caps)];
    }
    if (is('Response', value)) {
      const [status, statusText, headers, webSocket] = native.use('partsOfResponse')(value);
      if (webSocket !== null) throw new DOMException('A Response with a WebSocket can be returned from fetch(), not over RPC.', 'DataCloneError');
      return [KIND.response, status, statusText, headers, bodyOut(value, caps)];
    }
    if (is('Headers', value)) return [KIND.headers, [...value]];
    if (is('ReadableStream', value)) {
      if (value.locked) throw new TypeError('The ReadableStream has been locked to a reader.');
      return [KIND.readable, push(caps, native.streamOut(sourceOf(value)))];
    }
    if (is('WritableStream', value)) {
      if (value.locked) throw new TypeError('The WritableStream has been locked to a writer.');
      const writer = value.getWriter();
      const [handle, source] = native.sinkOut();
      (async () => {
        try {
          for (;;) {
            const chunk = await source.read();
            if (chunk === undefined) return await writer.close();
            await writer.write(chunk);
          }
        } catch (error) {
          source.cancel();
          await writer.abort(error).catch(() => {});
        }
      })();
      return [KIND.writable, push(caps, handle)];
    }
    // A Blob has no room for a file's name.
    if (is('Blob', value) && !is('File', value)) return [KIND.blob, value.type, native.use('bytesOfBlob')(value)];
    if (is('AbortSignal', value)) throw new DOMException('AbortSignal serialization is not enabled.', 'DataCloneError');
    return undefined;
  };

  const reviveWeb = (standIn, caps) => {
    switch (standIn[0]) {
      case KIND.request: {
        const [, method, url, headers, redirect, body] = standIn;
        return native.use('internalRequest')(method, url, headers, bodyIn(body, caps), undefined, redirect);
      }
      case KIND.response: {
        const [, status, statusText, headers, body] = standIn;
        return native.use('internalResponse')(status, statusText, headers, bodyIn(body, caps));
      }
      case KIND.headers: return new Headers(standIn[1]);
      case KIND.readable: return readable(native.streamIn(caps, standIn[1]));
      case KIND.writable: {
        const sink = native.sinkIn(caps, standIn[1]);
        return new WritableStream({
          write: (chunk) => sink.write(bytesOf(chunk)),
          close: () => sink.close(),
          abort: (reason) => sink.abort(`${reason?.message ?? reason}`),
        });
      }
      case KIND.blob: return new Blob([standIn[2]], { type: standIn[1] });
      default: throw new TypeError('The message holds something unknown.');
    }
  };
  // ---- fetch through a stub ----------------------------------------------------------------------

  const MAX_REDIRECTS = 20;
  const REDIRECT_STATUS = [301, 302, 303, 307, 308];
  const unlessAborted = (signal, promise) => {
    if (signal === null || signal === undefined) return promise;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  };

  // The first request leaves before this returns, so that requests keep their order.
  const fetchThrough = async (remote, input, init) => {
    const Request = native.use('Request');
    let request = new Request(input, init);
    const [, , , mode, signal] = native.use('partsOfRequest')(request);
    const hadBody = request.body !== null;
    let { method, url } = request;
    const { headers } = request;
    let response = await unlessAborted(signal, native.fetchVia(remote, request));
    for (let redirects = 0; mode !== 'manual' && REDIRECT_STATUS.includes(response.status); redirects++) {
      const location = response.headers.get('location');
      if (location === null) break;
      if (mode === 'error') throw new TypeError(`Unexpected redirect to ${location}`);
      if (redirects === MAX_REDIRECTS) throw new TypeError(`Too many redirects: more than ${MAX_REDIRECTS}`);
      if ((response.status === 303 && method !== 'HEAD') || ((response.status === 301 || response.status === 302) && method === 'POST')) method = 'GET';
      else if (hadBody) throw new TypeError('A one-time-use body (a ReadableStream) cannot follow a redirect.');
      url = new (native.use('URL'))(location, url).href;
      request = new Request(url, { method, headers });
      response = await unlessAborted(signal, native.fetchVia(remote, request));
      Object.defineProperty(response, 'redirected', { value: true, configurable: true });
    }
    return response;
  };
  // ---- streams of bytes that workers have besides the standard ones --------------------------------

  const lazily = (name, make) => Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const value = make();
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
      return value;
    },
    set(value) { Object.defineProperty(globalThis, name, { value, writable: true, configurable: true }); },
  });
  lazily('IdentityTransformStream', () => class IdentityTransformStream extends TransformStream {
    constructor() {
      super({ transform(chunk, controller) { const bytes = bytesOf(chunk); if (bytes.length > 0) controller.enqueue(bytes); } });
    }
  });
  lazily('FixedLengthStream', () => class FixedLengthStream extends TransformStream {
    constructor(length) {
      const expected = Number(length);
      if (!Number.isInteger(expected) || expected < 0) throw new TypeError('FixedLengthStream requires an integer expected length less than 2^53.');
      let seen = 0;
      super({
        transform(chunk, controller) {
          const bytes = bytesOf(chunk);
          seen += bytes.length;
          if (seen > expected) throw new TypeError('Attempt to write too many bytes through a FixedLengthStream.');
          if (bytes.length > 0) controller.enqueue(bytes);
        },
        flush() {
          if (seen < expected) throw new TypeError('FixedLengthStream did not see all expected bytes before close().');
        },
      });
    }
  });
  return { replaceWeb, reviveWeb, fetchThrough };
})
