// stream: the library in readable_stream.js, and the ways to and from the web's streams.
(function (native) {
  'use strict';
  const { invalidType } = native.use('internal/errors');
  const Stream = native.use('internal/readable-stream');
  const { Readable, Writable, Duplex, finished } = Stream;
  const expect = (value, Class, name) => {
    if (!(value instanceof Class)) throw invalidType(name, Class.name, value);
  };
  // A buffer of Node's is a plain array of bytes on the web.
  const plain = (chunk) => chunk instanceof Uint8Array ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : chunk;

  const webReadable = (readable, options) => new (native.web('ReadableStream'))({
    start(controller) {
      readable.pause();
      readable.on('data', (chunk) => {
        controller.enqueue(plain(chunk));
        if (controller.desiredSize <= 0) readable.pause();
      });
      finished(readable, { writable: false }, (error) => {
        if (error?.code === 'ERR_STREAM_PREMATURE_CLOSE') error = new (native.use('internal/errors').AbortError)(undefined, { cause: error });
        try {
          if (error) controller.error(error);
          else controller.close();
        } catch { /* it was cancelled */ }
      });
    },
    pull() { readable.resume(); },
    cancel(reason) { readable.destroy(reason); },
  }, options?.strategy ?? { highWaterMark: readable.readableObjectMode ? readable.readableHighWaterMark : 1 });

  const webWritable = (writable) => new (native.web('WritableStream'))({
    start(controller) {
      finished(writable, { readable: false }, (error) => { if (error) controller.error(error); });
    },
    write: (chunk) => new Promise((resolve, reject) => {
      writable.write(chunk, (error) => error ? reject(error) : resolve());
    }),
    close: () => new Promise((resolve, reject) => {
      writable.end((error) => error ? reject(error) : resolve());
    }),
    abort(reason) { writable.destroy(reason); },
  }, { highWaterMark: 1 });

  const reading = (stream) => {
    const reader = stream.getReader();
    let ended = false;
    return {
      read() {
        reader.read().then(({ done, value }) => {
          ended ||= done;
          this.push(done ? null : value);
        }, (error) => {
          ended = true;
          this.destroy(error);
        });
      },
      stop: (error) => ended ? Promise.resolve() : reader.cancel(error),
    };
  };
  const writing = (stream) => {
    const writer = stream.getWriter();
    let ended = false;
    writer.closed.catch(() => { ended = true; });
    return {
      write(chunk, encoding, done) { writer.ready.then(() => writer.write(chunk)).then(() => done(), done); },
      final(done) {
        ended = true;
        writer.close().then(() => done(), done);
      },
      stop: (error) => ended ? Promise.resolve() : writer.abort(error),
    };
  };
  const stopping = (...stops) => (error, done) => {
    Promise.all(stops.map((stop) => stop(error))).then(() => done(error), (failed) => done(error ?? failed));
  };

  Readable.toWeb = function toWeb(readable, options) {
    expect(readable, Readable, 'streamReadable');
    return webReadable(readable, options);
  };
  Readable.fromWeb = function fromWeb(stream, options) {
    expect(stream, native.web('ReadableStream'), 'readableStream');
    const { read, stop } = reading(stream);
    return new Readable({ ...options, read, destroy: stopping(stop) });
  };
  Writable.toWeb = function toWeb(writable) {
    if (typeof writable?.write !== 'function') throw invalidType('streamWritable', 'Writable', writable);
    return webWritable(writable);
  };
  Writable.fromWeb = function fromWeb(stream, options) {
    expect(stream, native.web('WritableStream'), 'writableStream');
    const { write, final, stop } = writing(stream);
    return new Writable({ decodeStrings: false, ...options, write, final, destroy: stopping(stop) });
  };
  Duplex.toWeb = function toWeb(duplex) {
    expect(duplex, Duplex, 'duplex');
    return { readable: webReadable(duplex), writable: webWritable(duplex) };
  };
  Duplex.fromWeb = function fromWeb(pair, options) {
    expect(pair?.readable, native.web('ReadableStream'), 'pair.readable');
    expect(pair?.writable, native.web('WritableStream'), 'pair.writable');
    const [from, to] = [reading(pair.readable), writing(pair.writable)];
    return new Duplex({ decodeStrings: false, ...options, read: from.read, write: to.write, final: to.final, destroy: stopping(from.stop, to.stop) });
  };
  return Stream;
})
