// CompressionStream and DecompressionStream: https://compression.spec.whatwg.org/
// A write waits until what it gave is worked up, and work is done only when the readable side is read, a chunk of
// bounded size at a time; so however much comes of a little, there is never more of it than one chunk.
(function (native) {
  'use strict';
  const { ReadableStream, WritableStream } = native;

  const pairOf = (codec) => {
    // What was written and is not taken yet: { bytes, last, resolve, reject }.
    let written = null;
    let taken = null;
    let arrived = null;
    let readableController;
    let writableController;
    let isOver = false;

    const over = (settle) => {
      isOver = true;
      for (const each of [written, taken]) if (each !== null) settle(each);
      written = taken = null;
      arrived?.();
    };
    const write = (bytes, last) => new Promise((resolve, reject) => {
      written = { bytes, last, resolve, reject };
      arrived?.();
    });

    const readable = new ReadableStream({
      type: 'bytes',
      start(own) { readableController = own; },
      async pull() {
        while (!isOver) {
          let output;
          try {
            if (written === null) {
              output = codec();
            } else {
              taken = written;
              written = null;
              output = codec(taken.bytes, taken.last);
            }
          } catch (error) {
            over((each) => each.reject(error));
            writableController.error(error);
            throw error;
          }
          if (output) return readableController.enqueue(output);
          if (output === null) {
            over((each) => each.resolve());
            readableController.close();
            readableController.byobRequest?.respond(0);
            return undefined;
          }
          taken?.resolve();
          taken = null;
          if (written === null) await new Promise((resolve) => { arrived = resolve; });
          arrived = null;
        }
        return undefined;
      },
      cancel(reason) {
        over((each) => each.reject(reason));
        writableController.error(reason);
      },
    }, { highWaterMark: 0 });

    const writable = new WritableStream({
      start(own) { writableController = own; },
      write(chunk) {
        let bytes;
        try {
          bytes = native.bytesOf(chunk).slice();
        } catch (error) {
          over((each) => each.reject(error));
          readableController.error(error);
          throw error;
        }
        return write(bytes, false);
      },
      close: () => write(undefined, true),
      abort(reason) {
        over((each) => each.reject(reason));
        readableController.error(reason);
      },
    });
    return { readable, writable };
  };

  const make = (name, codecOf) => {
    const Stream = {
      [name]: class {
        #pair;
        constructor(format) {
          const codec = codecOf(`${format}`);
          if (codec === undefined) throw new TypeError(`${name} has the formats gzip, deflate and deflate-raw, not ${format}.`);
          this.#pair = pairOf(codec);
        }
        get readable() { return this.#pair.readable; }
        get writable() { return this.#pair.writable; }
      },
    }[name];
    native.tag(Stream);
    return Stream;
  };

  return {
    CompressionStream: make('CompressionStream', native.compressor),
    DecompressionStream: make('DecompressionStream', native.decompressor),
  };
})
