// crypto: https://nodejs.org/api/crypto.html , as far as hashes, HMAC, ciphers, derived keys, signatures
// and random numbers.
// Long inputs are hashed piece by piece, so that no call of Rust holds the shard.
(function (native) {
  'use strict';
  const { check, coded, invalidType, invalidValue, outOfRange, withMissing } = native.use('internal/errors');
  const { Buffer } = native.use('buffer');
  const { isAnyArrayBuffer } = native.use('util/types');
  const HASHES = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha512-224', 'sha512-256'];
  const PIECE_BYTES = 65536;
  const MAX_RANDOM = 2 ** 31 - 1;

  const hashName = (name) => {
    const plain = name.toLowerCase().replace(/^rsa-/, '').replace(/^sha-/, 'sha').replace('sha512/', 'sha512-');
    return HASHES.includes(plain) ? plain : undefined;
  };
  const bytesOf = (data, name, encoding) => {
    if (typeof data === 'string') return Buffer.from(data, encoding === 'buffer' ? 'utf8' : encoding);
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (isAnyArrayBuffer(data)) return new Uint8Array(data);
    throw invalidType(name, ['string', 'Buffer', 'TypedArray', 'DataView'], data);
  };
  const encoded = (bytes, encoding) => {
    const buffer = Object.setPrototypeOf(bytes, Buffer.prototype);
    return encoding === undefined || encoding === 'buffer' ? buffer : buffer.toString(encoding);
  };
  const feed = (state, bytes) => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) state.update(bytes.subarray(at, at + PIECE_BYTES));
  };

  const states = new WeakMap();
  const state = (hash) => {
    const found = states.get(hash);
    if (found.final) throw coded(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
    return found.running;
  };
  // What a stream is asked for first. Streams are much to load, and most hashes are never used as one, so a hash
  // (as a cipher) becomes a Transform when one of these is touched.
  const STREAM = ['on', 'once', 'addListener', 'prependListener', 'off', 'removeListener', 'emit', 'listenerCount', 'write', 'end', 'cork',
    'read', 'pipe', 'unpipe', 'resume', 'pause', 'push', 'setEncoding', 'setDefaultEncoding', 'destroy', 'destroyed', 'readable', 'writable',
    'readableEnded', 'writableEnded', 'readableFlowing', 'writableFinished', 'errored', 'closed', '_readableState', '_writableState',
    Symbol.asyncIterator];
  // `stateOf` an object of the class has its class and the options of its stream.
  const becomesStream = (Class, stateOf) => {
    let streaming;
    const becomeStream = (object) => {
      const { Transform } = native.use('stream');
      if (!streaming) {
        streaming = Object.create(Transform.prototype, Object.getOwnPropertyDescriptors(Class.prototype));
        for (const name of STREAM) delete streaming[name];
      }
      Object.setPrototypeOf(object, streaming);
      Transform.call(object, stateOf(object).options);
    };
    for (const name of STREAM) {
      Object.defineProperty(Class.prototype, name, {
        configurable: true,
        get() {
          if (stateOf(this) === undefined) return undefined;
          becomeStream(this);
          return this[name];
        },
      });
    }
    Object.defineProperty(Class, Symbol.hasInstance, {
      value: (value) => typeof value === 'object' && value !== null && stateOf(value)?.Class === Class,
    });
  };
  const hashing = (Class) => {
    const methods = {
      update(data, encoding) {
        feed(state(this), bytesOf(data, 'data', encoding));
        return this;
      },
      digest(encoding) {
        const digest = state(this).digest();
        states.get(this).final = true;
        return encoded(digest, encoding);
      },
      // The one chunk of the stream is the digest.
      _transform(chunk, encoding, done) {
        try {
          this.update(chunk, encoding);
          done();
        } catch (error) {
          done(error);
        }
      },
      _flush(done) {
        this.push(this.digest());
        done();
      },
    };
    const define = (prototype) => {
      for (const key of Object.keys(methods)) Object.defineProperty(prototype, key, { value: methods[key], writable: true, configurable: true });
    };
    define(Class.prototype);
    becomesStream(Class, (value) => states.get(value));
  };
  const begin = (hash, Class, running, options) => states.set(hash, { Class, running, options, final: false });

  function Hash(algorithm, options) {
    if (!new.target) return new Hash(algorithm, options);
    const running = typeof algorithm === 'object' ? algorithm : (check.string(algorithm, 'algorithm'), native.hash(hashName(algorithm) ?? ''));
    if (!running) throw coded(Error, 'ERR_CRYPTO_INVALID_DIGEST', `Digest method not supported: ${algorithm}`);
    if (options?.outputLength !== undefined) throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'node:crypto outputLength is not implemented in Dolmen');
    begin(this, Hash, running, options);
  }
  hashing(Hash);
  Object.defineProperty(Hash.prototype, 'copy', {
    value: function copy(options) { return new Hash(state(this).copy(), options); }, writable: true, configurable: true,
  });

  function Hmac(algorithm, key, options) {
    if (!new.target) return new Hmac(algorithm, key, options);
    check.string(algorithm, 'hmac');
    const running = native.hmac(hashName(algorithm) ?? '', keyBytes(key, options?.encoding));
    if (!running) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
    begin(this, Hmac, running, options);
  }
  const keyBytes = (key, encoding) => {
    if (key === null || key === undefined) throw invalidType('key', ['string', 'ArrayBuffer', 'Buffer', 'TypedArray', 'DataView', 'KeyObject'], key);
    return key instanceof keys.exports.KeyObject ? keys.secretOf(key) : bytesOf(key, 'key', encoding);
  };
  hashing(Hmac);

  // ---- random numbers
  // In pieces, into memory of the engine, whose limit counts it.
  const randomInto = (bytes) => {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) bytes.set(native.random(Math.min(PIECE_BYTES, bytes.length - at)), at);
    return bytes;
  };
  const randomBytes = (size, callback) => {
    check.number(size, 'size', 0, MAX_RANDOM);
    if (callback !== undefined) check.function(callback, 'callback');
    const make = () => randomInto(Buffer.alloc(Math.trunc(size)));
    return later(make, callback);
  };
  // With a callback the result comes by it, after the caller's own code.
  const later = (make, callback) => {
    if (callback === undefined) return make();
    queueMicrotask(() => {
      let result;
      try {
        result = make();
      } catch (error) {
        callback(error);
        return;
      }
      callback(null, result);
    });
    return undefined;
  };
  const filled = (target, offset = 0, size) => {
    if (!ArrayBuffer.isView(target) && !isAnyArrayBuffer(target)) throw invalidType('buf', ['ArrayBuffer', 'ArrayBufferView'], target);
    const bytes = bytesOf(target, 'buf');
    const unit = target.BYTES_PER_ELEMENT ?? 1;
    check.number(offset, 'offset', 0, bytes.length / unit);
    const count = size === undefined ? bytes.length - offset * unit : (check.number(size, 'size', 0, MAX_RANDOM), size * unit);
    if (offset * unit + count > bytes.length) throw outOfRange('size + offset', `<= ${bytes.length}`, offset * unit + count);
    randomInto(bytes.subarray(offset * unit, offset * unit + count));
    return target;
  };
  const randomFill = (target, offset, size, callback) => {
    if (typeof offset === 'function') [offset, size, callback] = [undefined, undefined, offset];
    else if (typeof size === 'function') [size, callback] = [undefined, size];
    check.function(callback, 'callback');
    later(() => filled(target, offset, size), callback);
  };
  const randomInt = (min, max, callback) => {
    if (max === undefined || typeof max === 'function') [min, max, callback] = [0, min, max];
    if (!Number.isSafeInteger(min)) throw invalidType('min', 'a safe integer', min);
    if (!Number.isSafeInteger(max)) throw invalidType('max', 'a safe integer', max);
    if (max <= min) throw outOfRange('max', `greater than the value of "min" (${min})`, max);
    const range = max - min;
    if (range > 2 ** 48 - 1) throw outOfRange('max - min', '<= 281474976710655', range);
    if (callback !== undefined) check.function(callback, 'callback');
    return later(() => {
      // Numbers past the last whole multiple of the range would favour the small ones.
      const limit = 2 ** 48 - (2 ** 48 % range);
      for (;;) {
        const value = Buffer.from(native.random(6)).readUIntBE(0, 6);
        if (value < limit) return min + value % range;
      }
    }, callback);
  };

  // ---- derived keys
  const derivation = () => native.use('internal/derivation');
  const digestOf = (digest) => {
    check.string(digest, 'digest');
    const name = hashName(digest);
    if (!name) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${digest}`);
    return name;
  };
  const pbkdf2Arguments = (password, salt, iterations, length, digest) => {
    const name = digestOf(digest);
    const bytes = [bytesOf(password, 'password'), bytesOf(salt, 'salt')];
    check.integer(iterations, 'iterations', 1, MAX_RANDOM);
    check.integer(length, 'keylen', 0, MAX_RANDOM);
    return [name, ...bytes, iterations, length];
  };
  const hkdfArguments = (digest, secret, salt, info, length) => {
    const name = digestOf(digest);
    const bytes = [keyBytes(secret), bytesOf(salt, 'salt'), bytesOf(info, 'info')].map((each) => Uint8Array.from(each));
    derivation().checkHkdf(bytes[2], length);
    return [name, ...bytes, length];
  };
  const scryptArguments = (password, salt, length, options) => {
    const bytes = [bytesOf(password, 'password'), bytesOf(salt, 'salt')].map((each) => Uint8Array.from(each));
    check.integer(length, 'keylen', 0, MAX_RANDOM);
    return [...bytes, length, derivation().scryptOptions(options)];
  };

  const timingSafeEqual = (left, right) => {
    const [one, other] = [[left, 'buf1'], [right, 'buf2']].map(([value, name]) => {
      if (!ArrayBuffer.isView(value) && !isAnyArrayBuffer(value)) throw invalidType(name, ['ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], value);
      return bytesOf(value, name);
    });
    if (one.length !== other.length) throw coded(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
    return native.timingSafeEqual(one, other);
  };

  const keys = native.use('internal/keys')({ bytesOf, hashName, later });
  const exports = {
    createHash: (algorithm, options) => new Hash(algorithm, options),
    createHmac: (algorithm, key, options) => new Hmac(algorithm, key, options),
    Hash, Hmac, ...keys.exports,
    hash(algorithm, data, encoding = 'hex') { return new Hash(algorithm).update(data).digest(encoding); },
    getHashes: () => HASHES.flatMap((name) => name === 'md5' || name.includes('-') ? [name] : [name, `RSA-${name.toUpperCase()}`]),
    randomBytes, randomFill, randomInt,
    pseudoRandomBytes: randomBytes, prng: randomBytes, rng: randomBytes,
    randomFillSync: (target, offset, size) => filled(target, offset, size),
    randomUUID: () => native.randomUUID(),
    getRandomValues: (view) => native.web('crypto').getRandomValues(view),
    pbkdf2Sync: (...args) => derivation().pbkdf2(...pbkdf2Arguments(...args)),
    pbkdf2(password, salt, iterations, length, digest, callback) {
      if (typeof digest === 'function') [digest, callback] = [undefined, digest];
      const checked = pbkdf2Arguments(password, salt, iterations, length, digest);
      check.function(callback, 'callback');
      later(() => derivation().pbkdf2(...checked), callback);
    },
    hkdfSync: (...args) => derivation().hkdf(...hkdfArguments(...args)),
    hkdf(digest, secret, salt, info, length, callback) {
      const checked = hkdfArguments(digest, secret, salt, info, length);
      check.function(callback, 'callback');
      later(() => derivation().hkdf(...checked), callback);
    },
    scryptSync: (...args) => derivation().scrypt(...scryptArguments(...args)),
    scrypt(password, salt, length, options, callback) {
      if (typeof options === 'function') [options, callback] = [undefined, options];
      const checked = scryptArguments(password, salt, length, options);
      check.function(callback, 'callback');
      later(() => derivation().scrypt(...checked), callback);
    },
    ...native.use('internal/ciphers')({ keyOf: keyBytes, bytesOf, becomesStream }),
    timingSafeEqual,
    webcrypto: native.web('crypto'),
    subtle: native.web('crypto').subtle,
    getFips: () => 0,
  };
  return withMissing(exports, 'crypto', [
    'Certificate', 'Cipher', 'Decipher', 'DiffieHellman', 'DiffieHellmanGroup', 'ECDH', 'X509Certificate', 'checkPrime', 'checkPrimeSync',
    'createDiffieHellman', 'createDiffieHellmanGroup', 'createECDH', 'diffieHellman', 'generateKey', 'generateKeySync', 'generatePrime',
    'generatePrimeSync', 'getDiffieHellman', 'privateEncrypt', 'publicDecrypt', 'secureHeapUsed', 'setEngine', 'setFips',
  ]);
})
