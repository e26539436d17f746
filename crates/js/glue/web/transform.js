// TransformStream and the text streams over it: https://streams.spec.whatwg.org/#ts
// Made of one readable and one writable stream: a write waits until the readable side wants more.
(function (native) {
  'use strict';
  const { ReadableStream, WritableStream, TextEncoder, TextDecoder } = native;
  const ours = Symbol();

  class TransformStreamDefaultController {
    #does;
    constructor(token, does) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#does = does;
    }
    get desiredSize() { return this.#does.desiredSize(); }
    enqueue(chunk) { this.#does.enqueue(chunk); }
    error(reason) { this.#does.fail(reason); }
    terminate() { this.#does.end(); }
  }

  class TransformStream {
    #readable;
    #writable;

    constructor(transformer = {}, writableStrategy = {}, readableStrategy = { highWaterMark: 0 }) {
      transformer ??= {};
      if (transformer.readableType !== undefined) throw new RangeError('readableType must be undefined');
      if (transformer.writableType !== undefined) throw new RangeError('writableType must be undefined');
      const { start, transform, flush, cancel } = transformer;
      for (const [name, method] of Object.entries({ start, transform, flush, cancel })) {
        if (method !== undefined && typeof method !== 'function') throw new TypeError(`transformer.${name} is not a function`);
      }
      const wanted = () => { let resolve; const promise = new Promise((r) => { resolve = r; }); return { promise, resolve }; };
      let want = wanted();
      let readableController;
      let writableController;
      let failure;
      let ended = false;

      const fail = (reason) => {
        if (failure || ended) return;
        failure = { reason };
        readableController.error(reason);
        writableController.error(reason);
        want.resolve();
      };
      const end = () => {
        if (failure || ended) return;
        ended = true;
        readableController.close();
        writableController.error(new TypeError('The transform stream was terminated'));
        want.resolve();
      };

      this.#readable = new ReadableStream({
        start(own) { readableController = own; },
        pull() { want.resolve(); },
        async cancel(reason) {
          if (failure || ended) return;
          ended = true;
          try {
            await cancel?.call(transformer, reason);
          } finally {
            writableController.error(reason);
            want.resolve();
          }
        },
      }, readableStrategy);
      const controller = new TransformStreamDefaultController(ours, {
        desiredSize: () => readableController.desiredSize,
        enqueue(chunk) {
          // Until the readable side pulls again, the next write waits.
          want = wanted();
          readableController.enqueue(chunk);
        },
        fail,
        end,
      });
      let started;

      this.#writable = new WritableStream({
        start(own) {
          writableController = own;
          started = (async () => start?.call(transformer, controller))();
          return started;
        },
        async write(chunk) {
          if (!(readableController.desiredSize > 0) && !failure && !ended) await want.promise;
          if (failure) throw failure.reason;
          if (ended) return;
          try {
            if (transform) await transform.call(transformer, chunk, controller);
            else controller.enqueue(chunk);
          } catch (error) {
            fail(error);
            throw error;
          }
        },
        async close() {
          try {
            await flush?.call(transformer, controller);
          } catch (error) {
            fail(error);
            throw error;
          }
          if (failure) throw failure.reason;
          if (ended) return;
          ended = true;
          readableController.close();
        },
        async abort(reason) {
          if (failure || ended) return;
          failure = { reason };
          try {
            await cancel?.call(transformer, reason);
          } finally {
            readableController.error(reason);
            want.resolve();
          }
        },
      }, writableStrategy);
      started?.catch(fail);
    }

    get readable() { return this.#readable; }
    get writable() { return this.#writable; }
  }

  class TextEncoderStream {
    #stream;
    constructor() {
      const encoder = new TextEncoder();
      let high = '';
      this.#stream = new TransformStream({
        transform(chunk, controller) {
          let text = high + `${chunk}`;
          high = '';
          const last = text.charCodeAt(text.length - 1);
          // The first half of a character waits for the second.
          if (last >= 0xD800 && last <= 0xDBFF) {
            high = text[text.length - 1];
            text = text.slice(0, -1);
          }
          if (text !== '') controller.enqueue(encoder.encode(text));
        },
        flush(controller) {
          if (high !== '') controller.enqueue(encoder.encode(high));
        },
      });
    }
    get encoding() { return 'utf-8'; }
    get readable() { return this.#stream.readable; }
    get writable() { return this.#stream.writable; }
  }

  class TextDecoderStream {
    #stream;
    #decoder;
    constructor(label = 'utf-8', options = {}) {
      const decoder = this.#decoder = new TextDecoder(label, options);
      this.#stream = new TransformStream({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true });
          if (text !== '') controller.enqueue(text);
        },
        flush(controller) {
          const text = decoder.decode();
          if (text !== '') controller.enqueue(text);
        },
      });
    }
    get encoding() { return this.#decoder.encoding; }
    get fatal() { return this.#decoder.fatal; }
    get ignoreBOM() { return this.#decoder.ignoreBOM; }
    get readable() { return this.#stream.readable; }
    get writable() { return this.#stream.writable; }
  }

  const all = { TransformStream, TransformStreamDefaultController, TextEncoderStream, TextDecoderStream };
  for (const constructor of Object.values(all)) native.tag(constructor);
  return all;
})
