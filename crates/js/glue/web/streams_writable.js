// WritableStream: https://streams.spec.whatwg.org/#ws
(function (native) {
  'use strict';
  const { deferred, resolved, rejected, method, promised, highWaterMarkOf, sizeOf, Queue } = native;
  const ours = Symbol();
  const CLOSE = Symbol('close');
  let writableOf;

  // What the standard keeps in the stream and its controller.
  class Writable {
    state = 'writable';
    error = undefined;
    writer = null;
    requests = [];
    inFlight = null;
    closeRequest = null;
    inFlightClose = null;
    pendingAbort = null;
    backpressure = false;
    queue = new Queue();
    started = false;
    abortController = null;

    constructor(stream, sink, strategy) {
      if (sink?.type !== undefined) throw new RangeError('The type of a sink must be undefined');
      this.stream = stream;
      this.size = sizeOf(strategy);
      this.mark = highWaterMarkOf(strategy, 1);
      const start = method(sink, 'start');
      this.write = method(sink, 'write');
      this.closeSink = method(sink, 'close');
      this.abortSink = method(sink, 'abort');
      this.controller = new WritableStreamDefaultController(ours, this);
      this.backpressure = this.wantsLess();
      const begun = start?.(this.controller);
      Promise.resolve(begun).then(() => {
        this.started = true;
        this.advance();
      }, (error) => {
        this.started = true;
        this.fail(error);
      });
    }

    desiredSize() { return this.mark - this.queue.total; }
    wantsLess() { return this.desiredSize() <= 0; }
    isClosing() { return this.closeRequest !== null || this.inFlightClose !== null; }

    setBackpressure(backpressure) {
      if (this.writer !== null && backpressure !== this.backpressure) {
        if (backpressure) this.writer.ready = deferred();
        else this.writer.ready.resolve();
      }
      this.backpressure = backpressure;
    }

    // -- writing --

    add(chunk) {
      let size;
      try {
        size = this.size(chunk);
      } catch (error) {
        this.failIfWritable(error);
        size = 1;
      }
      if (this.state === 'errored') return rejected(this.error).promise;
      if (this.isClosing() || this.state === 'closed') return rejected(new TypeError('This WritableStream has been closed.')).promise;
      if (this.state === 'erroring') return rejected(this.error).promise;
      const request = deferred();
      this.requests.push(request);
      try {
        this.queue.push(chunk, size);
      } catch (error) {
        this.failIfWritable(error);
        return request.promise;
      }
      if (!this.isClosing() && this.state === 'writable') this.setBackpressure(this.wantsLess());
      this.advance();
      return request.promise;
    }

    advance() {
      if (!this.started || this.inFlight !== null || this.inFlightClose !== null) return;
      if (this.state === 'erroring') return this.finishErroring();
      if (this.state !== 'writable' || this.queue.length === 0) return;
      if (this.queue.peek() === CLOSE) return this.processClose();
      const chunk = this.queue.peek();
      this.inFlight = this.requests.shift();
      promised(this.write, chunk, this.controller).then(() => {
        this.inFlight.resolve();
        this.inFlight = null;
        this.queue.shift();
        if (!this.isClosing() && this.state === 'writable') this.setBackpressure(this.wantsLess());
        this.advance();
      }, (error) => {
        if (this.state === 'writable') this.forget();
        this.inFlight.reject(error);
        this.inFlight = null;
        this.reject(error);
      });
    }

    processClose() {
      this.inFlightClose = this.closeRequest;
      this.closeRequest = null;
      this.queue.shift();
      const closed = promised(this.closeSink);
      this.forget();
      closed.then(() => {
        this.inFlightClose.resolve();
        this.inFlightClose = null;
        if (this.state === 'erroring') {
          this.error = undefined;
          this.pendingAbort?.request.resolve();
          this.pendingAbort = null;
        }
        this.state = 'closed';
        this.writer?.closed.resolve();
      }, (error) => {
        this.inFlightClose.reject(error);
        this.inFlightClose = null;
        this.pendingAbort?.request.reject(error);
        this.pendingAbort = null;
        this.reject(error);
      });
    }

    close() {
      if (this.state === 'closed' || this.state === 'errored') {
        return rejected(new TypeError(`Cannot close a stream that is ${this.state}.`)).promise;
      }
      this.closeRequest = deferred();
      const { promise } = this.closeRequest;
      if (this.writer !== null && this.backpressure && this.state === 'writable') this.writer.ready.resolve();
      this.queue.push(CLOSE, 0);
      this.advance();
      return promise;
    }

    // -- failing --

    forget() { this.write = this.closeSink = this.abortSink = undefined; this.size = () => 1; }

    failIfWritable(error) {
      if (this.state === 'writable') this.fail(error);
    }

    // The sink or the controller has failed.
    reject(error) {
      if (this.state === 'writable') this.startErroring(error);
      else if (this.state === 'erroring') this.finishErroring();
    }
    fail(error) {
      if (this.state === 'writable') this.startErroring(error);
      else if (this.state === 'erroring') this.finishErroring();
    }

    startErroring(error) {
      this.state = 'erroring';
      this.error = error;
      if (this.writer !== null) this.rejectReady(error);
      if (this.inFlight === null && this.inFlightClose === null && this.started) this.finishErroring();
    }

    rejectReady(error) {
      this.writer.ready.reject(error);
      this.writer.ready = rejected(error);
    }

    finishErroring() {
      if (this.state !== 'erroring' || this.inFlight !== null || this.inFlightClose !== null) return;
      this.state = 'errored';
      this.queue.clear();
      for (const request of this.requests) request.reject(this.error);
      this.requests = [];
      const abort = this.pendingAbort;
      if (abort === null) return this.rejectClosed();
      this.pendingAbort = null;
      if (abort.wasErroring) {
        abort.request.reject(this.error);
        return this.rejectClosed();
      }
      const done = promised(this.abortSink, abort.reason);
      this.forget();
      done.then(() => {
        abort.request.resolve();
        this.rejectClosed();
      }, (error) => {
        abort.request.reject(error);
        this.rejectClosed();
      });
    }

    rejectClosed() {
      this.closeRequest?.reject(this.error);
      this.closeRequest = null;
      this.writer?.closed.reject(this.error);
    }

    abort(reason) {
      if (this.state === 'closed' || this.state === 'errored') return Promise.resolve();
      this.abortController?.abort(reason);
      if (this.state === 'closed' || this.state === 'errored') return Promise.resolve();
      if (this.pendingAbort !== null) return this.pendingAbort.request.promise;
      const wasErroring = this.state === 'erroring';
      const request = deferred();
      this.pendingAbort = { request, reason: wasErroring ? undefined : reason, wasErroring };
      if (!wasErroring) this.startErroring(reason);
      return request.promise;
    }
  }

  class WritableStreamDefaultController {
    #writable;
    constructor(token, writable) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#writable = writable;
    }
    get signal() { return (this.#writable.abortController ??= new (native.use('AbortController'))()).signal; }
    error(reason) { this.#writable.failIfWritable(reason); }
  }

  class WritableStream {
    #writable;
    constructor(sink = {}, strategy = {}) {
      this.#writable = new Writable(this, sink, strategy);
    }
    get locked() { return this.#writable.writer !== null; }
    async abort(reason) {
      if (this.locked) throw new TypeError('This WritableStream is currently locked to a writer.');
      return this.#writable.abort(reason);
    }
    async close() {
      if (this.locked) throw new TypeError('This WritableStream is currently locked to a writer.');
      if (this.#writable.isClosing()) throw new TypeError('Cannot close a stream that is closing already.');
      return this.#writable.close();
    }
    getWriter() { return new WritableStreamDefaultWriter(this); }
    static {
      writableOf = (stream) => {
        if (typeof stream !== 'object' || stream === null || !(#writable in stream)) throw new TypeError('This is not a WritableStream.');
        return stream.#writable;
      };
    }
  }

  class WritableStreamDefaultWriter {
    #writable;
    // Kept in one object, so that the stream can settle what the program sees.
    #seen;

    constructor(stream) {
      const writable = writableOf(stream);
      if (writable.writer !== null) throw new TypeError('This WritableStream is currently locked to a writer.');
      this.#writable = writable;
      const { state, error } = writable;
      this.#seen = writable.writer = {
        ready: state === 'writable' ? (!writable.isClosing() && writable.backpressure ? deferred() : resolved())
          : state === 'closed' ? resolved() : rejected(error),
        closed: state === 'closed' ? resolved() : state === 'errored' ? rejected(error) : deferred(),
      };
    }

    get closed() { return this.#seen.closed.promise; }
    get ready() { return this.#seen.ready.promise; }
    get desiredSize() {
      const { state } = this.#held();
      if (state === 'errored' || state === 'erroring') return null;
      return state === 'closed' ? 0 : this.#writable.desiredSize();
    }
    #held() {
      if (this.#writable === null) throw new TypeError('This writer has been released.');
      return this.#writable;
    }
    async abort(reason) { return this.#held().abort(reason); }
    async close() {
      if (this.#held().isClosing()) throw new TypeError('Cannot close a stream that is closing already.');
      return this.#writable.close();
    }
    write(chunk) {
      try {
        return this.#held().add(chunk);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    releaseLock() {
      if (this.#writable === null) return;
      const error = new TypeError('This writer has been released.');
      for (const name of ['ready', 'closed']) {
        this.#seen[name].reject(error);
        this.#seen[name] = rejected(error);
      }
      this.#writable.writer = null;
      this.#writable = null;
    }
  }

  const all = { WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter };
  for (const constructor of Object.values(all)) native.tag(constructor);
  return { ...all, writableOf };
})
