// TextEncoder and TextDecoder: https://encoding.spec.whatwg.org/
(function (native) {
  'use strict';

  class TextEncoder {
    get encoding() { return 'utf-8'; }

    encode(input = '') { return native.encode(`${input}`); }

    encodeInto(source, destination) {
      if (!(destination instanceof Uint8Array)) {
        throw new TypeError("Failed to execute 'encodeInto' on 'TextEncoder': parameter 2 is not of type 'Uint8Array'.");
      }
      const text = `${source}`;
      const room = destination.byteLength;
      const bytes = native.encode(text.length > room ? text.slice(0, room + 1) : text);
      let written = Math.min(bytes.length, room);
      // Not in the middle of a character.
      while (written > 0 && written < bytes.length && (bytes[written] & 0xC0) === 0x80) written--;
      const fits = bytes.subarray(0, written);
      destination.set(fits);
      let read = 0;
      for (const byte of fits) if ((byte & 0xC0) !== 0x80) read += byte >= 0xF0 ? 2 : 1;
      return { read, written };
    }
  }

  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #stream = null;

    constructor(label = 'utf-8', options) {
      this.#encoding = native.encodingName(`${label}`);
      if (!this.#encoding) throw new RangeError(`The "${label}" encoding is not supported`);
      this.#fatal = !!options?.fatal;
      this.#ignoreBOM = !!options?.ignoreBOM;
    }

    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }

    decode(input, options) {
      const bytes = input === undefined ? new Uint8Array(0) : native.bytesOf(input);
      const more = !!options?.stream;
      const stream = this.#stream ?? native.decoder(this.#encoding, this.#fatal, this.#ignoreBOM);
      this.#stream = null;
      const text = stream(bytes, !more);
      if (more) this.#stream = stream;
      return text;
    }
  }

  const { atob, btoa } = native;
  for (const constructor of [TextEncoder, TextDecoder]) native.tag(constructor);
  return { TextEncoder, TextDecoder, atob, btoa };
})
