// Blob and File: https://w3c.github.io/FileAPI/
// The bytes are in the engine's own heap, so its memory limit counts them.
(function (native) {
  'use strict';
  const CHUNK_BYTES = 65536;
  let partsOf;

  const join = (parts, size) => {
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  };

  const typeOf = (type) => {
    type = type === undefined ? '' : `${type}`;
    return /[^\x20-\x7E]/.test(type) ? '' : type.toLowerCase();
  };

  class Blob {
    // Never changed once they are here, so slices share them.
    #parts = [];
    #size = 0;
    #type;

    constructor(parts, options) {
      if (parts !== undefined && (typeof parts !== 'object' || parts === null || typeof parts[Symbol.iterator] !== 'function')) {
        throw new TypeError("Failed to construct 'Blob': the parts are not a list.");
      }
      for (const part of parts ?? []) {
        if (typeof part === 'object' && part !== null && #parts in part) this.#parts.push(...part.#parts);
        else if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) this.#parts.push(native.bytesOf(part).slice());
        else this.#parts.push(native.encode(options?.endings === 'native' ? `${part}`.replace(/\r\n?/g, '\n') : `${part}`));
      }
      for (const part of this.#parts) this.#size += part.length;
      this.#type = typeOf(options?.type);
    }

    get size() { return this.#size; }
    get type() { return this.#type; }

    slice(start = 0, end = this.#size, type = '') {
      const place = (at) => Math.min(Math.max(at < 0 ? this.#size + Math.trunc(at) : Math.trunc(at) || 0, 0), this.#size);
      const [from, to] = [place(Number(start)), place(Number(end))];
      const blob = new Blob([], { type });
      let at = 0;
      for (const part of this.#parts) {
        const piece = part.subarray(Math.max(from - at, 0), Math.max(to - at, 0));
        if (piece.length > 0) blob.#parts.push(piece);
        at += part.length;
      }
      blob.#size = Math.max(to - from, 0);
      return blob;
    }

    async bytes() { return join(this.#parts, this.#size); }
    async arrayBuffer() { return join(this.#parts, this.#size).buffer; }
    async text() { return native.decodeUtf8(join(this.#parts, this.#size)); }

    stream() {
      const bytes = join(this.#parts, this.#size);
      let at = 0;
      return new (native.use('ReadableStream'))({
        type: 'bytes',
        pull(controller) {
          if (at < bytes.length) {
            controller.enqueue(bytes.slice(at, at += CHUNK_BYTES));
            return;
          }
          controller.close();
          controller.byobRequest?.respond(0);
        },
      }, { highWaterMark: 0 });
    }

    static { partsOf = (blob) => join(blob.#parts, blob.#size); }
  }

  class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, options) {
      if (arguments.length < 2) throw new TypeError(`Failed to construct 'File': 2 arguments required, but only ${arguments.length} present.`);
      super(parts, options);
      this.#name = `${name}`.toWellFormed();
      this.#lastModified = options?.lastModified === undefined ? Math.trunc(native.unixMs()) : Math.trunc(Number(options.lastModified)) || 0;
    }

    get name() { return this.#name; }
    get lastModified() { return this.#lastModified; }
    get webkitRelativePath() { return ''; }
  }

  for (const constructor of [Blob, File]) native.tag(constructor);
  // `bytesOfBlob` gives the bytes at once, to those who need not wait.
  return { Blob, File, bytesOfBlob: partsOf };
})
