// Buffer: https://nodejs.org/api/buffer.html
// A Uint8Array with more methods. Text is converted in Rust.
(function (native) {
  'use strict';
  const { coded, check, invalidType, invalidValue, outOfRange, withMissing } = native.use('internal/errors');
  const MAX_LENGTH = 2 ** 31 - 1;
  const [UTF8, HEX, BASE64, BASE64URL, LATIN1, ASCII, UTF16] = [0, 1, 2, 3, 4, 5, 6];
  const ENCODINGS = {
    __proto__: null, utf8: UTF8, 'utf-8': UTF8, hex: HEX, base64: BASE64, base64url: BASE64URL, latin1: LATIN1, binary: LATIN1, ascii: ASCII,
    utf16le: UTF16, 'utf-16le': UTF16, ucs2: UTF16, 'ucs-2': UTF16,
  };
  const findEncoding = (name) => ENCODINGS[name] ?? ENCODINGS[`${name}`.toLowerCase()];
  const encodingOf = (name) => {
    if (name === undefined || name === null || name === '') return UTF8;
    const encoding = findEncoding(name);
    if (encoding === undefined) throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`);
    return encoding;
  };

  class FastBuffer extends Uint8Array {}
  const asBuffer = (bytes) => Object.setPrototypeOf(bytes, FastBuffer.prototype);
  const isBytes = (value) => value instanceof Uint8Array;

  function Buffer(value, encoding, length) {
    if (typeof value === 'number') {
      if (typeof encoding === 'string') throw invalidType('string', 'string', value);
      return Buffer.alloc(value);
    }
    return Buffer.from(value, encoding, length);
  }
  Object.setPrototypeOf(Buffer, Uint8Array);
  Buffer.prototype = FastBuffer.prototype;
  Object.defineProperty(FastBuffer.prototype, 'constructor', { value: Buffer, writable: true, configurable: true });
  Object.defineProperty(Buffer, Symbol.species, { configurable: true, get: () => FastBuffer });
  Buffer.poolSize = 8192;

  const sized = (size) => {
    check.number(size, 'size', 0, MAX_LENGTH);
    return new FastBuffer(size);
  };
  const assign = (names) => {
    for (const name of Object.keys(names)) {
      Object.defineProperty(Buffer, name, { value: names[name], writable: true, enumerable: true, configurable: true });
    }
  };

  const fromText = (text, encoding) => asBuffer(native.fromText(text, encodingOf(encoding)));
  const fromList = (list) => {
    const length = Number(list.length);
    const bytes = new FastBuffer(length > 0 ? length : 0);
    for (let at = 0; at < bytes.length; at++) bytes[at] = list[at];
    return bytes;
  };
  const WANTED = ['string', 'Buffer', 'ArrayBuffer', 'Array', 'Array-like Object'];
  const badSource = (value) => {
    let received;
    if (value === null || value === undefined || typeof value !== 'object') received = invalidType('first argument', WANTED, value).message.split(' Received ')[1];
    else received = `an instance of ${value.constructor?.name ?? 'Object'}`;
    return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received ${received}`);
  };
  const isAnyArrayBuffer = (value) => native.use('util/types').isAnyArrayBuffer(value);

  assign({
    from(value, encoding, length) {
      if (typeof value === 'string') return fromText(value, encoding);
      if (typeof value === 'object' && value !== null) {
        if (isAnyArrayBuffer(value)) {
          const offset = encoding === undefined ? 0 : Number.isNaN(+encoding) ? 0 : +encoding;
          const room = value.byteLength - offset;
          if (room < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
          let count = room;
          if (length !== undefined) {
            count = +length > 0 ? +length : 0;
            if (count > room) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
          }
          return new FastBuffer(value, offset, count);
        }
        if (isBytes(value)) return asBuffer(Uint8Array.prototype.slice.call(new Uint8Array(value.buffer, value.byteOffset, value.length)));
        const inner = value.valueOf?.();
        if (inner !== null && inner !== undefined && inner !== value && (typeof inner === 'string' || typeof inner === 'object')) {
          return Buffer.from(inner, encoding, length);
        }
        if (value.length !== undefined || isAnyArrayBuffer(value.buffer)) return typeof value.length === 'number' ? fromList(value) : new FastBuffer(0);
        if (value.type === 'Buffer' && Array.isArray(value.data)) return fromList(value.data);
        if (typeof value[Symbol.toPrimitive] === 'function') {
          const text = value[Symbol.toPrimitive]('string');
          if (typeof text === 'string') return fromText(text, encoding);
        }
      }
      throw badSource(value);
    },
    of: (...items) => fromList(items),
    copyBytesFrom(view, offset = 0, length) {
      if (!native.use('util/types').isTypedArray(view)) throw invalidType('view', 'TypedArray', view);
      check.integer(offset, 'offset', 0);
      if (length !== undefined) check.integer(length, 'length', 0);
      const part = view.subarray(offset, length === undefined ? undefined : offset + length);
      return Buffer.from(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    },
    alloc(size, fill, encoding) {
      const bytes = sized(size);
      if (fill !== undefined && fill !== 0 && size > 0) bytes.fill(fill, typeof encoding === 'string' ? encoding : undefined);
      return bytes;
    },
    allocUnsafe: (size) => sized(size),
    allocUnsafeSlow: (size) => sized(size),
    isBuffer: (value) => value instanceof Buffer,
    isEncoding: (name) => typeof name === 'string' && name.length > 0 && findEncoding(name) !== undefined,
    byteLength(value, encoding) {
      if (typeof value === 'string') {
        switch (findEncoding(encoding ?? 'utf8') ?? UTF8) {
          case UTF8: return native.utf8Length(value);
          case HEX: return value.length >>> 1;
          case BASE64: case BASE64URL: {
            let length = value.length;
            if (value.endsWith('=')) length -= value.endsWith('==') ? 2 : 1;
            return (length * 3) >>> 2;
          }
          case UTF16: return value.length * 2;
          default: return value.length;
        }
      }
      if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return value.byteLength;
      throw invalidType('string', ['string', 'Buffer', 'ArrayBuffer'], value);
    },
    compare(left, right) {
      if (!isBytes(left)) throw invalidType('buf1', ['Buffer', 'Uint8Array'], left);
      if (!isBytes(right)) throw invalidType('buf2', ['Buffer', 'Uint8Array'], right);
      return native.compare(left, right);
    },
    concat(list, length) {
      if (!Array.isArray(list)) throw invalidType('list', 'Array', list);
      if (length === undefined) length = list.reduce((sum, bytes) => sum + (bytes.length ?? 0), 0);
      else check.integer(length, 'length', 0);
      const whole = sized(length);
      let at = 0;
      for (const [index, bytes] of list.entries()) {
        if (!isBytes(bytes)) throw invalidType(`list[${index}]`, ['Buffer', 'Uint8Array'], bytes);
        if (at >= length) continue;
        whole.set(at + bytes.length > length ? bytes.subarray(0, length - at) : bytes, at);
        at += bytes.length;
      }
      return whole;
    },
  });

  const methods = {};

  const clamped = (value, fallback, length) => {
    if (value === undefined) return fallback;
    value = Math.trunc(+value) || 0;
    return value < 0 ? 0 : Math.min(value, length);
  };
  methods.toString = function toString(encoding, start, end) {
    const { length } = this;
    const [from, to] = [clamped(start, 0, length), clamped(end, length, length)];
    if (to <= from) return '';
    return native.toText(this, encodingOf(encoding), from, to);
  };
  methods.toLocaleString = methods.toString;
  methods.toJSON = function toJSON() { return { type: 'Buffer', data: Array.from(this) }; };
  methods.equals = function equals(other) {
    if (!isBytes(other)) throw invalidType('otherBuffer', ['Buffer', 'Uint8Array'], other);
    return this === other || (this.length === other.length && native.compare(this, other) === 0);
  };
  methods.compare = function compare(target, targetStart = 0, targetEnd = target?.length, start = 0, end = this.length) {
    if (!isBytes(target)) throw invalidType('target', ['Buffer', 'Uint8Array'], target);
    check.integer(targetStart, 'targetStart', 0);
    check.integer(targetEnd, 'targetEnd', 0, target.length);
    check.integer(start, 'sourceStart', 0);
    check.integer(end, 'sourceEnd', 0, this.length);
    if (start >= end) return targetStart >= targetEnd ? 0 : -1;
    if (targetStart >= targetEnd) return 1;
    return native.compare(this.subarray(start, end), target.subarray(targetStart, targetEnd));
  };
  methods.slice = methods.subarray = function subarray(start, end) {
    const { length } = this;
    const place = (value, fallback) => {
      if (value === undefined) return fallback;
      value = Math.trunc(+value) || 0;
      return value < 0 ? Math.max(value + length, 0) : Math.min(value, length);
    };
    const from = place(start, 0);
    return new FastBuffer(this.buffer, this.byteOffset + from, Math.max(place(end, length) - from, 0));
  };
  methods.copy = function copy(target, targetStart, start, end) {
    if (!isBytes(target)) throw invalidType('target', ['Buffer', 'Uint8Array'], target);
    const whole = (value, name, fallback) => {
      if (value === undefined) return fallback;
      value = Math.trunc(+value) || 0;
      if (value < 0) throw outOfRange(name, '>= 0', value);
      return value;
    };
    const to = whole(targetStart, 'targetStart', 0);
    const from = whole(start, 'sourceStart', 0);
    if (from > this.length) throw outOfRange('sourceStart', `>= 0 && <= ${this.length}`, from);
    const until = Math.min(whole(end, 'sourceEnd', this.length), this.length);
    const count = Math.min(until - from, target.length - to);
    if (count <= 0) return 0;
    Uint8Array.prototype.set.call(target, new Uint8Array(this.buffer, this.byteOffset + from, count), to);
    return count;
  };

  methods.write = function write(text, offset, length, encoding) {
    if (typeof text !== 'string') throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
    if (typeof offset === 'string') [offset, length, encoding] = [undefined, undefined, offset];
    else if (typeof length === 'string') [length, encoding] = [undefined, length];
    if (offset === undefined) offset = 0;
    else check.integer(offset, 'offset', 0, this.length);
    const room = this.length - offset;
    if (length === undefined) length = room;
    else {
      check.integer(length, 'length', 0, this.length);
      length = Math.min(length, room);
    }
    return native.writeText(this, text, offset, length, encodingOf(encoding));
  };
  for (const [name, encoding] of [['utf8', UTF8], ['hex', HEX], ['base64', BASE64], ['base64url', BASE64URL], ['latin1', LATIN1], ['ascii', ASCII], ['ucs2', UTF16]]) {
    methods[`${name}Write`] = function (text, offset = 0, length = this.length - offset) {
      return native.writeText(this, text, offset, Math.min(length, this.length - offset), encoding);
    };
    methods[`${name}Slice`] = function (start, end) {
      return native.toText(this, encoding, clamped(start, 0, this.length), clamped(end, this.length, this.length));
    };
  }

  methods.fill = function fill(value, offset, end, encoding) {
    if (typeof offset === 'string') [offset, end, encoding] = [undefined, undefined, offset];
    else if (typeof end === 'string') [end, encoding] = [undefined, end];
    const from = offset === undefined ? 0 : (check.number(offset, 'offset', 0), offset);
    const to = end === undefined ? this.length : (check.number(end, 'end', 0, this.length), end);
    if (from >= to) return this;
    let pattern = value;
    if (typeof value === 'string') {
      if (encoding !== undefined) check.string(encoding, 'encoding');
      pattern = native.fromText(value, encodingOf(encoding));
      if (value.length > 0 && pattern.length === 0) throw invalidValue('value', value);
      if (value.length === 0) pattern = 0;
    }
    if (isBytes(pattern)) {
      if (pattern.length === 0) throw invalidValue('value', value);
      if (pattern.length > 1) {
        const count = to - from;
        const first = pattern.subarray(0, count);
        this.set(first, from);
        // What is there is doubled until the place is full.
        for (let done = first.length; done < count; done *= 2) this.copyWithin(from + done, from, from + Math.min(done, count - done));
        return this;
      }
      [pattern] = pattern;
    }
    if (typeof pattern === 'boolean') pattern = +pattern;
    Uint8Array.prototype.fill.call(this, (Number(pattern) || 0) & 255, from, to);
    return this;
  };

  const search = (bytes, value, offset, encoding, forward) => {
    if (typeof offset === 'string') [offset, encoding] = [undefined, offset];
    let from = offset === undefined ? NaN : +offset;
    from = Number.isNaN(from) ? (forward ? 0 : bytes.length) : Math.trunc(from);
    if (from < 0) from += bytes.length;
    if (from < 0) {
      if (!forward) return -1;
      from = 0;
    }
    let step = 1;
    if (typeof value === 'number') value = new Uint8Array([value & 255]);
    else if (typeof value === 'string') {
      const kind = encodingOf(encoding);
      if (kind === UTF16) step = 2;
      value = native.fromText(value, kind);
    } else if (!isBytes(value)) throw invalidType('value', ['number', 'string', 'Buffer', 'Uint8Array'], value);
    else if (encoding !== undefined && findEncoding(encoding) === UTF16) step = 2;
    if (value.length === 0) return Math.min(from, bytes.length);
    if (from > bytes.length && forward) return -1;
    let found = native.indexOf(bytes, value, Math.min(from, bytes.length), forward);
    while (found >= 0 && found % step !== 0) {
      found = forward ? native.indexOf(bytes, value, found + 1, true) : native.indexOf(bytes, value, found - 1, false);
    }
    return found;
  };
  methods.indexOf = function indexOf(value, offset, encoding) { return search(this, value, offset, encoding, true); };
  methods.lastIndexOf = function lastIndexOf(value, offset, encoding) { return search(this, value, offset, encoding, false); };
  methods.includes = function includes(value, offset, encoding) { return this.indexOf(value, offset, encoding) !== -1; };

  const swap = (size) => function () {
    if (this.length % size !== 0) throw coded(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
    for (let at = 0; at < this.length; at += size) Uint8Array.prototype.reverse.call(new Uint8Array(this.buffer, this.byteOffset + at, size));
    return this;
  };
  for (const size of [2, 4, 8]) methods[`swap${size * 8}`] = swap(size);

  // Numbers. A view is made for each call: a buffer keeps none, because most are never asked for numbers.
  const place = (bytes, offset, size) => {
    if (offset === undefined) offset = 0;
    if (typeof offset !== 'number') throw invalidType('offset', 'number', offset);
    if (!(offset >= 0 && offset + size <= bytes.length && Number.isInteger(offset))) {
      if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
      if (bytes.length - size < 0) throw coded(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
      throw outOfRange('offset', `>= 0 and <= ${bytes.length - size}`, offset);
    }
    return new DataView(bytes.buffer, bytes.byteOffset + offset, size);
  };
  const rangeText = (min, max, bytes) => {
    if (typeof min === 'bigint') return min === 0n ? `>= 0n and < 2n ** ${bytes * 8}n` : `>= -(2n ** ${bytes * 8 - 1}n) and < 2n ** ${bytes * 8 - 1}n`;
    if (bytes > 4) return min === 0 ? `>= 0 and < 2 ** ${bytes * 8}` : `>= -(2 ** ${bytes * 8 - 1}) and < 2 ** ${bytes * 8 - 1}`;
    return `>= ${min} and <= ${max}`;
  };
  const define = (name, alias, size, read, write) => {
    methods[`read${name}`] = function (offset) { return read(place(this, offset, size)); };
    methods[`write${name}`] = function (value, offset) {
      write(place(this, offset, size), value);
      return (offset ?? 0) + size;
    };
    if (alias) {
      methods[`read${alias}`] = methods[`read${name}`];
      methods[`write${alias}`] = methods[`write${name}`];
    }
  };
  const checked = (min, max, bytes, set) => (view, value) => {
    value = typeof min === 'bigint' ? value : +value;
    if (value < min || value > max) throw outOfRange('value', rangeText(min, max, bytes), value);
    set(view, value);
  };
  for (const little of [true, false]) {
    const order = little ? 'LE' : 'BE';
    for (const bits of [16, 32]) {
      define(`UInt${bits}${order}`, `Uint${bits}${order}`, bits / 8, (view) => view[`getUint${bits}`](0, little),
        checked(0, 2 ** bits - 1, bits / 8, (view, value) => view[`setUint${bits}`](0, value, little)));
      define(`Int${bits}${order}`, undefined, bits / 8, (view) => view[`getInt${bits}`](0, little),
        checked(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, bits / 8, (view, value) => view[`setInt${bits}`](0, value, little)));
    }
    define(`BigUInt64${order}`, `BigUint64${order}`, 8, (view) => view.getBigUint64(0, little),
      checked(0n, 2n ** 64n - 1n, 8, (view, value) => view.setBigUint64(0, value, little)));
    define(`BigInt64${order}`, undefined, 8, (view) => view.getBigInt64(0, little),
      checked(-(2n ** 63n), 2n ** 63n - 1n, 8, (view, value) => view.setBigInt64(0, value, little)));
    define(`Float${order}`, undefined, 4, (view) => view.getFloat32(0, little), (view, value) => view.setFloat32(0, value, little));
    define(`Double${order}`, undefined, 8, (view) => view.getFloat64(0, little), (view, value) => view.setFloat64(0, value, little));
  }
  define('UInt8', 'Uint8', 1, (view) => view.getUint8(0), checked(0, 255, 1, (view, value) => view.setUint8(0, value)));
  define('Int8', undefined, 1, (view) => view.getInt8(0), checked(-128, 127, 1, (view, value) => view.setInt8(0, value)));

  const count = (value) => {
    if (typeof value !== 'number') throw invalidType('byteLength', 'number', value);
    if (!Number.isInteger(value)) throw outOfRange('byteLength', 'an integer', value);
    if (value < 1 || value > 6) throw outOfRange('byteLength', '>= 1 and <= 6', value);
    return value;
  };
  const sizedPlace = (bytes, offset, size) => {
    if (offset === undefined) throw invalidType('offset', 'number', offset);
    return place(bytes, offset, count(size));
  };
  for (const little of [true, false]) {
    const order = little ? 'LE' : 'BE';
    const read = (view, size) => {
      let value = 0;
      for (let at = 0; at < size; at++) value = value * 256 + view.getUint8(little ? size - 1 - at : at);
      return value;
    };
    const write = (view, size, value) => {
      for (let at = 0; at < size; at++) {
        view.setUint8(little ? at : size - 1 - at, value);
        value = Math.floor(value / 256);
      }
    };
    methods[`readUInt${order}`] = methods[`readUint${order}`] = function (offset, size) { return read(sizedPlace(this, offset, size), size); };
    methods[`readInt${order}`] = function (offset, size) {
      const value = read(sizedPlace(this, offset, size), size);
      return value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value;
    };
    methods[`writeUInt${order}`] = methods[`writeUint${order}`] = function (value, offset, size) {
      const view = sizedPlace(this, offset, size);
      checked(0, 2 ** (size * 8) - 1, size, (to, number) => write(to, size, number))(view, value);
      return offset + size;
    };
    methods[`writeInt${order}`] = function (value, offset, size) {
      const view = sizedPlace(this, offset, size);
      checked(-(2 ** (size * 8 - 1)), 2 ** (size * 8 - 1) - 1, size, (to, number) => write(to, size, number < 0 ? number + 2 ** (size * 8) : number))(view, value);
      return offset + size;
    };
  }

  let shownBytes = 50;
  methods[Symbol.for('nodejs.util.inspect.custom')] = function (depth, options, inspect) {
    const most = Math.min(shownBytes, this.length);
    let text = this.toString('hex', 0, most).replace(/..(?=.)/g, '$& ');
    const more = this.length - most;
    if (more > 0) text += ` ... ${more} more byte${more > 1 ? 's' : ''}`;
    const extra = Object.keys(this).filter((key) => !/^\d+$/.test(key));
    if (extra.length > 0) {
      if (text !== '') text += ', ';
      text += inspect(Object.fromEntries(extra.map((key) => [key, this[key]])), { ...options, breakLength: Infinity }).slice(2, -2);
    }
    return `<${this.constructor?.name ?? 'Buffer'} ${text}>`;
  };
  methods.inspect = methods[Symbol.for('nodejs.util.inspect.custom')];

  for (const name of Reflect.ownKeys(methods)) {
    Object.defineProperty(FastBuffer.prototype, name, { value: methods[name], writable: true, configurable: true });
  }
  Object.defineProperties(FastBuffer.prototype, {
    parent: { configurable: true, get() { return this instanceof Buffer ? this.buffer : undefined; } },
    offset: { configurable: true, get() { return this instanceof Buffer ? this.byteOffset : undefined; } },
  });

  const bytesOf = (value) => {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (isAnyArrayBuffer(value)) return new Uint8Array(value);
    throw invalidType('input', ['ArrayBuffer', 'Buffer', 'TypedArray'], value);
  };
  const transcode = (source, from, to) => {
    if (!isBytes(source)) throw invalidType('source', ['Buffer', 'Uint8Array'], source);
    const text = native.toText(source, encodingOf(from), 0, source.length);
    const kind = encodingOf(to);
    const narrow = kind === ASCII ? /[^\x00-\x7F]/gu : /[^\x00-\xFF]/gu;
    return asBuffer(native.fromText(kind === ASCII || kind === LATIN1 ? text.replace(narrow, '?') : text, kind));
  };

  const constants = Object.freeze({ MAX_LENGTH, MAX_STRING_LENGTH: 2 ** 30 - 1 });
  const exports = {
    Buffer, constants, kMaxLength: MAX_LENGTH, kStringMaxLength: constants.MAX_STRING_LENGTH, transcode,
    SlowBuffer: function SlowBuffer(length) { return Buffer.allocUnsafeSlow(length); },
    isUtf8: (input) => native.isUtf8(bytesOf(input)),
    isAscii: (input) => native.isAscii(bytesOf(input)),
    atob: native.web('atob'), btoa: native.web('btoa'),
  };
  for (const name of ['Blob', 'File']) {
    Object.defineProperty(exports, name, { enumerable: true, configurable: true, get: () => native.web(name) });
  }
  Object.defineProperty(exports, 'INSPECT_MAX_BYTES', {
    enumerable: true,
    get: () => shownBytes,
    set: (value) => {
      check.number(value, 'INSPECT_MAX_BYTES', 0);
      shownBytes = value;
    },
  });
  return withMissing(exports, 'buffer', ['resolveObjectURL']);
})
