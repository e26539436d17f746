// ReadableStream: https://streams.spec.whatwg.org/#rs
(function (native) {
  'use strict';
  const { noop, deferred, resolved, rejected, method, promised, highWaterMarkOf, sizeOf, Queue } = native;
  const ours = Symbol();
  const RELEASED = 'This reader has been released.';
  const LOCKED = 'This ReadableStream is currently locked to a reader.';
  let readableOf;

  // What the standard keeps in the stream. `controller` decides what is queued and when to pull.
  class Readable {
    state = 'readable';
    error = undefined;
    reader = null;
    disturbed = false;
    controller = null;

    close() {
      if (this.state !== 'readable') return;
      this.state = 'closed';
      if (this.reader === null) return;
      this.reader.closed.resolve();
      for (const request of this.reader.requests.splice(0)) request.close();
    }
    fail(error) {
      if (this.state !== 'readable') return;
      this.state = 'errored';
      this.error = error;
      if (this.reader === null) return;
      this.reader.closed.reject(error);
      for (const request of this.reader.requests.splice(0)) request.error(error);
      for (const request of this.reader.intoRequests.splice(0)) request.error(error);
    }
    cancel(reason) {
      this.disturbed = true;
      if (this.state === 'closed') return Promise.resolve();
      if (this.state === 'errored') return Promise.reject(this.error);
      const into = this.reader?.intoRequests.splice(0) ?? [];
      this.close();
      for (const request of into) request.close(undefined);
      return this.controller.cancelSteps(reason).then(noop);
    }
    // Asks for the next chunk.
    read(request) {
      this.disturbed = true;
      if (this.state === 'closed') request.close();
      else if (this.state === 'errored') request.error(this.error);
      else this.controller.pullSteps(request);
    }
    waiting() { return this.reader === null ? 0 : this.reader.requests.length; }
  }

  // ---- the part of both controllers that pulls --------------------------------------------------

  class Puller {
    started = false;
    pulling = false;
    pullAgain = false;
    closeRequested = false;
    queue = new Queue();

    constructor(readable, source, mark) {
      this.readable = readable;
      this.mark = mark;
      this.start = method(source, 'start');
      this.pull = method(source, 'pull');
      this.cancelSource = method(source, 'cancel');
    }
    begin(controller) {
      this.controller = controller;
      const begun = this.start?.(controller);
      this.start = undefined;
      Promise.resolve(begun).then(() => {
        this.started = true;
        this.pullIfNeeded();
      }, (error) => this.fail(error));
    }
    desiredSize() {
      const { state } = this.readable;
      return state === 'errored' ? null : state === 'closed' ? 0 : this.mark - this.queue.total;
    }
    shouldPull() {
      if (this.readable.state !== 'readable' || this.closeRequested || !this.started) return false;
      return this.isAwaited() || this.desiredSize() > 0;
    }
    isAwaited() { return this.readable.waiting() > 0; }
    pullIfNeeded() {
      if (!this.shouldPull()) return;
      if (this.pulling) {
        this.pullAgain = true;
        return;
      }
      this.pulling = true;
      promised(this.pull, this.controller).then(() => {
        this.pulling = false;
        if (!this.pullAgain) return;
        this.pullAgain = false;
        this.pullIfNeeded();
      }, (error) => this.fail(error));
    }
    forget() { this.pull = this.cancelSource = undefined; this.size = () => 1; }
    finish() {
      this.forget();
      this.readable.close();
    }
    fail(error) {
      if (this.readable.state !== 'readable') return;
      this.queue.clear();
      this.forget();
      this.readable.fail(error);
    }
    cancelSteps(reason) {
      this.queue.clear();
      const result = promised(this.cancelSource, reason);
      this.forget();
      return result;
    }
    checkOpen(what) {
      if (this.closeRequested) throw new TypeError(`Cannot ${what} a stream that is closing already.`);
      if (this.readable.state !== 'readable') throw new TypeError(`Cannot ${what} a stream that is ${this.readable.state}.`);
    }
  }

  // ---- any chunks -------------------------------------------------------------------------------

  class DefaultPuller extends Puller {
    constructor(readable, source, mark, size) {
      super(readable, source, mark);
      this.size = size;
    }
    enqueue(chunk) {
      this.checkOpen('enqueue to');
      if (this.readable.waiting() > 0) {
        this.readable.reader.requests.shift().chunk(chunk);
      } else {
        try {
          this.queue.push(chunk, this.size(chunk));
        } catch (error) {
          this.fail(error);
          throw error;
        }
      }
      this.pullIfNeeded();
    }
    close() {
      this.checkOpen('close');
      this.closeRequested = true;
      if (this.queue.length === 0) this.finish();
    }
    pullSteps(request) {
      if (this.queue.length === 0) {
        this.readable.reader.requests.push(request);
        this.pullIfNeeded();
        return;
      }
      const chunk = this.queue.shift();
      if (this.closeRequested && this.queue.length === 0) this.finish();
      else this.pullIfNeeded();
      request.chunk(chunk);
    }
  }

  class ReadableStreamDefaultController {
    #puller;
    constructor(token, puller) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#puller = puller;
    }
    get desiredSize() { return this.#puller.desiredSize(); }
    close() { this.#puller.close(); }
    enqueue(chunk) { this.#puller.enqueue(chunk); }
    error(reason) { this.#puller.fail(reason); }
  }

  // ---- bytes ------------------------------------------------------------------------------------

  const DataViewOf = (view) => (view instanceof DataView ? { constructor: DataView, size: 1 } : { constructor: view.constructor, size: view.BYTES_PER_ELEMENT });

  class BytePuller extends Puller {
    // Places to fill: buffers of BYOB readers, or our own when `autoAllocate` is set.
    pending = [];
    request = null;

    constructor(readable, source, mark, autoAllocate) {
      super(readable, source, mark);
      this.autoAllocate = autoAllocate;
    }
    isAwaited() { return this.readable.waiting() > 0 || (this.readable.reader?.intoRequests.length ?? 0) > 0; }

    enqueue(chunk) {
      this.checkOpen('enqueue to');
      if (!ArrayBuffer.isView(chunk)) throw new TypeError('A byte stream takes views of ArrayBuffers only.');
      if (chunk.byteLength === 0) throw new TypeError('A byte stream takes no empty chunks.');
      if (chunk.buffer.detached) throw new TypeError('The buffer of the chunk is detached.');
      const { byteOffset, byteLength } = chunk;
      const buffer = chunk.buffer.transfer();
      this.request?.invalidate();
      const [first] = this.pending;
      if (first !== undefined) {
        if (first.buffer.detached) throw new TypeError('The buffer of a pending read is detached.');
        first.buffer = first.buffer.transfer();
        if (first.reader === 'none') this.shiftUnread();
      }
      const { reader } = this.readable;
      if (reader?.mode === 'default') {
        this.push(buffer, byteOffset, byteLength);
        this.fillRequests();
      } else {
        this.push(buffer, byteOffset, byteLength);
        if (reader !== null) this.fillPending();
      }
      this.pullIfNeeded();
    }
    push(buffer, offset, length) { this.queue.push({ buffer, offset, length }, length); }

    // A pending place whose reader was released: what it has goes back to the queue.
    shiftUnread() {
      const place = this.pending.shift();
      if (place.filled > 0) this.push(place.buffer.slice(place.offset, place.offset + place.filled), 0, place.filled);
    }

    // Hands queued bytes to default reads.
    fillRequests() {
      const { reader } = this.readable;
      while (reader.requests.length > 0 && this.queue.total > 0) {
        if (this.pending[0]?.reader === 'default') this.pending.shift();
        reader.requests.shift().chunk(this.shiftChunk());
      }
    }
    shiftChunk() {
      const { buffer, offset, length } = this.queue.shift();
      const chunk = new Uint8Array(buffer, offset, length);
      this.afterShift();
      return chunk;
    }
    afterShift() {
      if (this.queue.total === 0 && this.closeRequested) this.finish();
      else this.pullIfNeeded();
    }

    // Copies queued bytes into the place; `true` if it has all that it needs.
    fillFromQueue(place) {
      while (this.queue.total > 0 && place.filled < place.length) {
        const entry = this.queue.peek();
        const count = Math.min(entry.length, place.length - place.filled);
        new Uint8Array(place.buffer, place.offset + place.filled, count).set(new Uint8Array(entry.buffer, entry.offset, count));
        place.filled += count;
        if (count === entry.length) {
          this.queue.shift();
        } else {
          entry.offset += count;
          entry.length -= count;
          this.queue.shrink(count);
        }
      }
      return place.filled >= place.minimum;
    }

    // Whole elements of a filled place; a rest of an element goes back to the queue.
    take(place) {
      const whole = place.filled - place.filled % place.size;
      return new place.constructor(place.buffer, place.offset, whole / place.size);
    }
    fillPending() {
      const { reader } = this.readable;
      while (this.pending.length > 0 && this.queue.total > 0 && this.pending[0].reader === 'byob') {
        const place = this.pending[0];
        if (!this.fillFromQueue(place)) return;
        this.pending.shift();
        this.keepRest(place);
        reader.intoRequests.shift().chunk(this.take(place));
      }
    }
    keepRest(place) {
      const rest = place.filled % place.size;
      if (rest === 0) return;
      const end = place.offset + place.filled;
      const bytes = place.buffer.slice(end - rest, end);
      // It was read first, so it stays first.
      const later = [];
      while (this.queue.length > 0) later.push(this.queue.shift());
      this.push(bytes, 0, rest);
      for (const { buffer, offset, length } of later) this.push(buffer, offset, length);
    }

    close() {
      if (this.closeRequested || this.readable.state !== 'readable') this.checkOpen('close');
      this.closeRequested = true;
      if (this.queue.total > 0) return;
      const [first] = this.pending;
      if (first !== undefined && first.filled % first.size !== 0) {
        const error = new TypeError('The stream closed in the middle of an element.');
        this.fail(error);
        throw error;
      }
      this.finish();
    }
    fail(error) {
      this.pending = [];
      this.request?.invalidate();
      super.fail(error);
    }
    cancelSteps(reason) {
      this.pending = [];
      this.request?.invalidate();
      return super.cancelSteps(reason);
    }

    pullSteps(request) {
      if (this.queue.total > 0) {
        request.chunk(this.shiftChunk());
        return;
      }
      if (this.autoAllocate !== undefined) {
        let buffer;
        try {
          buffer = new ArrayBuffer(this.autoAllocate);
        } catch (error) {
          request.error(error);
          return;
        }
        this.pending.push({ buffer, offset: 0, length: this.autoAllocate, filled: 0, minimum: 1, size: 1, constructor: Uint8Array, reader: 'default' });
      }
      this.readable.reader.requests.push(request);
      this.pullIfNeeded();
    }

    pullInto(view, minimum, request) {
      const { constructor, size } = DataViewOf(view);
      const { byteOffset, byteLength } = view;
      let buffer;
      try {
        buffer = view.buffer.transfer();
      } catch (error) {
        request.error(error);
        return;
      }
      const place = { buffer, offset: byteOffset, length: byteLength, filled: 0, minimum: minimum * size, size, constructor, reader: 'byob' };
      const { readable } = this;
      readable.disturbed = true;
      if (readable.state === 'errored') {
        request.error(readable.error);
      } else if (readable.state === 'closed') {
        request.close(new constructor(buffer, byteOffset, 0));
      } else if (this.pending.length > 0) {
        this.pending.push(place);
        readable.reader.intoRequests.push(request);
      } else if (this.queue.total > 0 && this.fillFromQueue(place)) {
        this.keepRest(place);
        const chunk = this.take(place);
        this.afterShift();
        request.chunk(chunk);
      } else if (this.closeRequested) {
        const error = new TypeError('There are not enough bytes for a whole element.');
        this.fail(error);
        request.error(error);
      } else {
        this.pending.push(place);
        readable.reader.intoRequests.push(request);
        this.pullIfNeeded();
      }
    }

    byobRequest() {
      if (this.request === null && this.pending.length > 0) {
        const [place] = this.pending;
        const view = new Uint8Array(place.buffer, place.offset + place.filled, place.length - place.filled);
        this.request = new ReadableStreamBYOBRequest(ours, this, view);
      }
      return this.request;
    }
    respond(count) {
      const [place] = this.pending;
      const { readable } = this;
      if (readable.state === 'closed') {
        if (count !== 0) throw new TypeError('There is nothing to respond with after the stream closed.');
      } else {
        if (count === 0) throw new TypeError('A response must have bytes while the stream is open.');
        if (place.filled + count > place.length) throw new RangeError('A response has more bytes than were asked for.');
      }
      place.buffer = place.buffer.transfer();
      this.answer(count);
    }
    respondWithNewView(view) {
      const [place] = this.pending;
      const { readable } = this;
      if (readable.state === 'closed' ? view.byteLength !== 0 : view.byteLength === 0) {
        throw new TypeError('The length of the view does not fit the state of the stream.');
      }
      if (place.offset + place.filled !== view.byteOffset) throw new RangeError('The view is not where the request was.');
      if (place.buffer.byteLength !== view.buffer.byteLength) throw new RangeError('The buffer of the view is of another length.');
      if (place.filled + view.byteLength > place.length) throw new RangeError('The view is longer than what was asked for.');
      const count = view.byteLength;
      place.buffer = view.buffer.transfer();
      this.answer(count);
    }
    answer(count) {
      this.request?.invalidate();
      const { readable } = this;
      const { reader } = readable;
      if (readable.state === 'closed') {
        for (const place of this.pending.splice(0)) {
          if (place.reader === 'byob') reader?.intoRequests.shift()?.close(this.take(place));
        }
        return;
      }
      const [place] = this.pending;
      place.filled += count;
      if (place.reader === 'none') {
        this.shiftUnread();
        if (reader?.mode === 'default') this.fillRequests();
        else if (reader !== null) this.fillPending();
      } else if (place.filled >= place.minimum) {
        this.pending.shift();
        this.keepRest(place);
        const chunk = this.take(place);
        if (place.reader === 'byob') {
          reader.intoRequests.shift().chunk(chunk);
          this.fillPending();
        } else {
          reader.requests.shift().chunk(chunk);
        }
      }
      this.pullIfNeeded();
    }
    released() {
      if (this.pending.length === 0) return;
      this.pending.length = 1;
      this.pending[0].reader = 'none';
    }
  }

  class ReadableByteStreamController {
    #puller;
    constructor(token, puller) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#puller = puller;
    }
    get byobRequest() { return this.#puller.byobRequest(); }
    get desiredSize() { return this.#puller.desiredSize(); }
    close() { this.#puller.close(); }
    enqueue(chunk) { this.#puller.enqueue(chunk); }
    error(reason) { this.#puller.fail(reason); }
  }

  class ReadableStreamBYOBRequest {
    #puller;
    #view;
    constructor(token, puller, view) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#puller = puller;
      this.#view = view;
      puller.request = this;
      this.invalidate = () => {
        this.#puller = this.#view = puller.request = null;
      };
      Object.defineProperty(this, 'invalidate', { enumerable: false });
    }
    get view() { return this.#view; }
    #held() {
      if (this.#puller === null) throw new TypeError('This request has been answered.');
      return this.#puller;
    }
    respond(count) {
      const puller = this.#held();
      if (this.#view.buffer.detached) throw new TypeError('The buffer of the request is detached.');
      count = Number(count);
      if (!Number.isInteger(count) || count < 0) throw new TypeError(`Invalid number of bytes: ${count}`);
      puller.respond(count);
    }
    respondWithNewView(view) {
      if (!ArrayBuffer.isView(view)) throw new TypeError('The argument is not a view of an ArrayBuffer.');
      const puller = this.#held();
      if (view.buffer.detached) throw new TypeError('The buffer of the view is detached.');
      puller.respondWithNewView(view);
    }
  }

  // ---- readers ----------------------------------------------------------------------------------

  class Reader {
    requests = [];
    intoRequests = [];
    constructor(readable, mode) {
      if (readable.reader !== null) throw new TypeError(LOCKED);
      this.mode = mode;
      this.readable = readable;
      readable.reader = this;
      this.closed = readable.state === 'readable' ? deferred() : readable.state === 'closed' ? resolved() : rejected(readable.error);
    }
    release() {
      if (this.readable === null) return;
      const error = new TypeError(RELEASED);
      this.closed.reject(error);
      this.closed = rejected(error);
      this.readable.controller.released?.();
      this.readable.reader = null;
      this.readable = null;
      for (const request of this.requests.splice(0)) request.error(error);
      for (const request of this.intoRequests.splice(0)) request.error(error);
    }
    held() {
      if (this.readable === null) throw new TypeError(RELEASED);
      return this.readable;
    }
    read() {
      return new Promise((resolve, reject) => this.held().read({
        chunk: (value) => resolve({ value, done: false }),
        close: () => resolve({ value: undefined, done: true }),
        error: reject,
      }));
    }
  }

  class ReadableStreamDefaultReader {
    #reader;
    constructor(stream) { this.#reader = new Reader(readableOf(stream), 'default'); }
    get closed() { return this.#reader.closed.promise; }
    read() { return this.#reader.read(); }
    async cancel(reason) { return this.#reader.held().cancel(reason); }
    releaseLock() { this.#reader.release(); }
  }

  class ReadableStreamBYOBReader {
    #reader;
    constructor(stream) {
      const readable = readableOf(stream);
      if (!(readable.controller instanceof BytePuller)) throw new TypeError('A BYOB reader needs a byte stream.');
      this.#reader = new Reader(readable, 'byob');
    }
    get closed() { return this.#reader.closed.promise; }
    async cancel(reason) { return this.#reader.held().cancel(reason); }
    releaseLock() { this.#reader.release(); }
    async read(view, options) {
      if (!ArrayBuffer.isView(view)) throw new TypeError('The argument is not a view of an ArrayBuffer.');
      if (view.byteLength === 0) throw new TypeError('The view is empty.');
      if (view.buffer.detached) throw new TypeError('The buffer of the view is detached.');
      const minimum = Math.trunc(Number(options?.min ?? 1));
      const length = view.length ?? view.byteLength;
      if (!(minimum > 0)) throw new TypeError('min must be more than 0.');
      if (minimum > length) throw new RangeError('min is more than the view can hold.');
      return new Promise((resolve, reject) => this.#reader.held().controller.pullInto(view, minimum, {
        chunk: (value) => resolve({ value, done: false }),
        close: (value) => resolve({ value, done: true }),
        error: reject,
      }));
    }
  }

  // ---- the stream -------------------------------------------------------------------------------

  const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);

  class ReadableStream {
    #readable = new Readable();

    constructor(source = {}, strategy = {}) {
      source ??= {};
      const readable = this.#readable;
      const { type } = source;
      if (type === undefined) {
        const size = sizeOf(strategy);
        const puller = readable.controller = new DefaultPuller(readable, source, highWaterMarkOf(strategy, 1), size);
        puller.begin(new ReadableStreamDefaultController(ours, puller));
      } else if (`${type}` === 'bytes') {
        if (strategy?.size !== undefined) throw new RangeError('The strategy of a byte stream has no size.');
        const { autoAllocateChunkSize } = source;
        const allocate = autoAllocateChunkSize === undefined ? undefined : Math.trunc(Number(autoAllocateChunkSize));
        if (allocate !== undefined && !(allocate > 0)) throw new TypeError('autoAllocateChunkSize must be more than 0.');
        const puller = readable.controller = new BytePuller(readable, source, highWaterMarkOf(strategy, 0), allocate);
        puller.begin(new ReadableByteStreamController(ours, puller));
      } else {
        throw new TypeError(`Invalid type of source: ${type}`);
      }
    }

    static from(iterable) {
      const [iterator, isAsync] = typeof iterable?.[Symbol.asyncIterator] === 'function'
        ? [iterable[Symbol.asyncIterator](), true] : [iterable?.[Symbol.iterator]?.(), false];
      if (typeof iterator !== 'object' || iterator === null) throw new TypeError('ReadableStream.from takes an iterable.');
      return new ReadableStream({
        async pull(controller) {
          const { value, done } = await iterator.next();
          if (done) controller.close();
          else controller.enqueue(isAsync ? value : await value);
        },
        async cancel(reason) { await iterator.return?.(reason); },
      }, { highWaterMark: 0 });
    }

    get locked() { return this.#readable.reader !== null; }
    async cancel(reason) {
      if (this.locked) throw new TypeError(LOCKED);
      return this.#readable.cancel(reason);
    }
    getReader(options) {
      const mode = options?.mode;
      if (mode === undefined) return new ReadableStreamDefaultReader(this);
      if (`${mode}` !== 'byob') throw new TypeError(`Invalid mode of reader: ${mode}`);
      return new ReadableStreamBYOBReader(this);
    }
    pipeThrough(transform, options) {
      const { readable, writable } = transform ?? {};
      readableOf(readable);
      native.writableOf(writable);
      if (this.locked) throw new TypeError(LOCKED);
      if (writable.locked) throw new TypeError('This WritableStream is currently locked to a writer.');
      this.pipeTo(writable, options).catch(noop);
      return readable;
    }
    async pipeTo(destination, options) {
      const writable = native.writableOf(destination);
      if (this.locked) throw new TypeError(LOCKED);
      if (destination.locked) throw new TypeError('This WritableStream is currently locked to a writer.');
      return native.pipe(this, this.#readable, destination, writable, options ?? {});
    }
    tee() {
      if (this.locked) throw new TypeError(LOCKED);
      return tee(this, this.#readable);
    }
    values(options) {
      const reader = new Reader(this.#readable, 'default');
      const preventCancel = !!options?.preventCancel;
      let ended = false;
      let ongoing = null;
      // Calls wait for each other; one that need not wait starts at once.
      const queued = (work) => {
        const result = ongoing === null ? work() : ongoing.then(work, work);
        ongoing = result;
        const settled = () => { if (ongoing === result) ongoing = null; };
        result.then(settled, settled);
        return result;
      };
      const iterator = {
        next: () => queued(async () => {
          if (ended) return { value: undefined, done: true };
          try {
            const result = await reader.read();
            if (result.done) {
              ended = true;
              reader.release();
            }
            return result;
          } catch (error) {
            ended = true;
            reader.release();
            throw error;
          }
        }),
        return: (value) => queued(async () => {
          if (!ended) {
            ended = true;
            const cancelled = preventCancel ? undefined : reader.readable.cancel(value);
            reader.release();
            await cancelled;
          }
          return { value, done: true };
        }),
      };
      return Object.setPrototypeOf(iterator, AsyncIteratorPrototype);
    }

    static {
      readableOf = (stream) => {
        if (typeof stream !== 'object' || stream === null || !(#readable in stream)) throw new TypeError('This is not a ReadableStream.');
        return stream.#readable;
      };
    }
  }
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
    value: ReadableStream.prototype.values, writable: true, configurable: true,
  });

  // Two streams of the same chunks. Bytes are copied for the second, which may change its own.
  const tee = (stream, readable) => {
    const isBytes = readable.controller instanceof BytePuller;
    const reader = new Reader(readable, 'default');
    const branches = [];
    const cancelled = [false, false];
    const reasons = [undefined, undefined];
    const done = deferred();
    let reading = false;
    let again = false;

    const pull = () => {
      if (reading) {
        again = true;
        return;
      }
      reading = true;
      readable.read({
        // In a microtask, so that both branches see an error that comes with the chunk.
        chunk: (chunk) => queueMicrotask(() => {
          again = false;
          // Before the first branch takes the buffer away.
          const chunks = [chunk, isBytes && !cancelled[1] ? chunk.slice() : chunk];
          for (const [i, branch] of branches.entries()) {
            if (!cancelled[i]) branch.enqueue(chunks[i]);
          }
          reading = false;
          if (again) pull();
        }),
        close: () => {
          reading = false;
          for (const [i, branch] of branches.entries()) {
            if (cancelled[i]) continue;
            branch.close();
            if (isBytes) branch.byobRequest?.respond(0);
          }
          if (!cancelled[0] || !cancelled[1]) done.resolve();
        },
        error: () => { reading = false; },
      });
    };
    const make = (i) => new ReadableStream({
      type: isBytes ? 'bytes' : undefined,
      start(controller) { branches[i] = controller; },
      pull,
      cancel(reason) {
        cancelled[i] = true;
        reasons[i] = reason;
        if (cancelled[0] && cancelled[1]) done.resolve(readable.cancel(reasons));
        return done.promise;
      },
    }, isBytes ? { highWaterMark: 0 } : {});
    const pair = [make(0), make(1)];
    reader.closed.promise.catch((error) => {
      for (const branch of branches) branch.error(error);
      if (!cancelled[0] || !cancelled[1]) done.resolve();
    });
    return pair;
  };

  const all = {
    ReadableStream, ReadableStreamDefaultController, ReadableByteStreamController, ReadableStreamBYOBRequest,
    ReadableStreamDefaultReader, ReadableStreamBYOBReader,
  };
  for (const constructor of Object.values(all)) native.tag(constructor);
  // Whether anything was read of a stream, or it was cancelled.
  const isDisturbed = (stream) => readableOf(stream).disturbed;
  return { ...all, Reader, readableOf, isDisturbed };
})
