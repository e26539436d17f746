// string_decoder: https://nodejs.org/api/string_decoder.html
// Bytes that do not end a character yet are kept for the next call.
(function (native) {
  'use strict';
  const { coded, invalidType } = native.use('internal/errors');
  const { Buffer } = native.use('buffer');
  const NAMES = { 'utf-8': 'utf8', binary: 'latin1', ucs2: 'utf16le', 'ucs-2': 'utf16le', 'utf-16le': 'utf16le' };

  // How many bytes at the end of UTF-8 begin a character that is not complete.
  const openUtf8 = (bytes) => {
    for (let back = 1; back <= Math.min(3, bytes.length); back++) {
      const byte = bytes[bytes.length - back];
      if ((byte & 0xC0) === 0x80) continue;
      const size = byte >= 0xF0 && byte <= 0xF4 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1;
      if (byte >= 0xF5 || size <= back) return 0;
      // Only what may still become a character is kept.
      const second = back > 1 ? bytes[bytes.length - back + 1] : undefined;
      if (second !== undefined && ((byte === 0xE0 && second < 0xA0) || (byte === 0xED && second > 0x9F)
        || (byte === 0xF0 && second < 0x90) || (byte === 0xF4 && second > 0x8F))) return 0;
      return back;
    }
    return 0;
  };
  const openUtf16 = (bytes) => {
    const odd = bytes.length % 2;
    const last = bytes.length - odd - 1;
    return last >= 1 && bytes[last] >= 0xD8 && bytes[last] <= 0xDB ? 2 + odd : odd;
  };

  function StringDecoder(encoding = 'utf8') {
    const name = `${encoding ?? 'utf8'}`.toLowerCase();
    if (!Buffer.isEncoding(name)) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    this.encoding = NAMES[name] ?? name;
    Object.defineProperty(this, 'held', { value: Buffer.alloc(0), writable: true });
  }
  const open = (decoder, bytes) => {
    switch (decoder.encoding) {
      case 'utf8': return openUtf8(bytes);
      case 'utf16le': return openUtf16(bytes);
      case 'base64': case 'base64url': return bytes.length % 3;
      default: return 0;
    }
  };
  StringDecoder.prototype.write = function write(chunk) {
    if (typeof chunk === 'string') return chunk;
    if (!ArrayBuffer.isView(chunk)) throw invalidType('buf', ['Buffer', 'TypedArray', 'DataView'], chunk);
    const given = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, given]) : given;
    const kept = open(this, bytes);
    this.held = Buffer.from(bytes.subarray(bytes.length - kept));
    return bytes.toString(this.encoding, 0, bytes.length - kept);
  };
  StringDecoder.prototype.end = function end(chunk) {
    const text = chunk === undefined ? '' : this.write(chunk);
    const { held } = this;
    this.held = Buffer.alloc(0);
    if (held.length === 0) return text;
    return text + held.toString(this.encoding);
  };
  StringDecoder.prototype.text = function text(chunk, offset) {
    this.held = Buffer.alloc(0);
    return this.write(chunk.slice(offset));
  };
  Object.defineProperties(StringDecoder.prototype, {
    lastNeed: { configurable: true, enumerable: true, get() { return this.held.length > 0 ? 1 : 0; } },
    lastTotal: { configurable: true, enumerable: true, get() { return this.held.length; } },
    lastChar: { configurable: true, enumerable: true, get() { return this.held; } },
  });
  return { StringDecoder };
})
