// Ciphers: https://nodejs.org/api/crypto.html#class-cipheriv , as far as AES in the modes CBC, CTR and GCM.
(function (native) {
  'use strict';
  const { check, coded, invalidValue } = native.use('internal/errors');
  const { Buffer } = native.use('buffer');
  const { StringDecoder } = native.use('string_decoder');
  const PIECE_BYTES = 65536;
  const BLOCK_BYTES = 16;
  const TAG_BYTES = [4, 8, 12, 13, 14, 15, 16];
  const NO_BYTES = new Uint8Array(0);
  const NIDS = {
    'aes-128-cbc': 419, 'aes-192-cbc': 423, 'aes-256-cbc': 427, 'aes-128-ctr': 904, 'aes-192-ctr': 905, 'aes-256-ctr': 906,
    'aes-128-gcm': 895, 'aes-192-gcm': 898, 'aes-256-gcm': 901,
  };

  const find = (name) => {
    const plain = name.toLowerCase().replace(/^id-aes(\d+)-gcm$/, 'aes-$1-gcm');
    if (!Object.hasOwn(NIDS, plain)) return undefined;
    const [, bits, mode] = plain.split('-');
    return { plain, keyBytes: Number(bits) / 8, mode };
  };
  const infoOf = (nameOrNid, options) => {
    const name = typeof nameOrNid === 'number' ? Object.keys(NIDS).find((each) => NIDS[each] === nameOrNid) : (check.string(nameOrNid, 'nameOrNid'), nameOrNid);
    const found = name === undefined ? undefined : find(name);
    if (found === undefined) return undefined;
    const { plain, keyBytes, mode } = found;
    const ivLength = options?.ivLength ?? (mode === 'gcm' ? 12 : BLOCK_BYTES);
    if (options?.keyLength !== undefined && options.keyLength !== keyBytes) return undefined;
    if (mode === 'gcm' ? ivLength === 0 : ivLength !== BLOCK_BYTES) return undefined;
    return {
      mode, name: mode === 'gcm' ? `id-aes${keyBytes * 8}-gcm` : plain, nid: NIDS[plain], blockSize: mode === 'cbc' ? BLOCK_BYTES : 1, ivLength, keyLength: keyBytes,
    };
  };

  // `keyOf` and `bytesOf` read arguments as the rest of the module does; `becomesStream` gives a class its streams.
  return ({ keyOf, bytesOf, becomesStream }) => {
    const states = new WeakMap();
    const wrongState = (operation) => coded(Error, 'ERR_CRYPTO_INVALID_STATE', `Invalid state for operation ${operation}`);
    const checkTag = (length) => {
      if (!TAG_BYTES.includes(length)) throw coded(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${length}`);
    };

    const begin = (cipher, Class, encrypts, name, key, iv, options) => {
      check.string(name, 'cipher');
      const found = find(name);
      if (found === undefined) throw coded(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
      const { keyBytes, mode } = found;
      const bytes = keyOf(key);
      const start = iv === null ? NO_BYTES : bytesOf(iv, 'iv');
      if (bytes.length !== keyBytes) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
      if (mode === 'gcm' ? start.length === 0 : start.length !== BLOCK_BYTES) throw coded(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
      const tagBytes = options?.authTagLength;
      if (tagBytes !== undefined && mode === 'gcm') checkTag(tagBytes);
      states.set(cipher, {
        Class, options, mode, encrypts, running: native.cipher(mode, encrypts, bytes, start),
        tagBytes, tag: undefined, isFinal: false, hasData: false, decoder: undefined, encoding: undefined,
      });
    };
    // Text is put together of what update() and final() give, so characters may begin in one and end in the next.
    const encoded = (state, bytes, encoding, isLast) => {
      if (encoding === undefined || encoding === 'buffer') return Object.setPrototypeOf(bytes, Buffer.prototype);
      if (state.decoder === undefined) [state.decoder, state.encoding] = [new StringDecoder(encoding), encoding];
      else if (state.encoding !== encoding) throw invalidValue('outputEncoding', encoding, 'cannot change');
      const text = state.decoder.write(bytes);
      return isLast ? text + state.decoder.end() : text;
    };
    const open = (cipher, message = 'Trying to add data in unsupported state') => {
      const state = states.get(cipher);
      if (state.isFinal) throw new Error(message);
      return state;
    };

    const define = (Class, methods) => {
      for (const key of Object.keys(methods)) Object.defineProperty(Class.prototype, key, { value: methods[key], writable: true, configurable: true });
    };
    const common = {
      update(data, inputEncoding, outputEncoding) {
        const state = open(this);
        const bytes = bytesOf(data, 'data', inputEncoding);
        state.hasData = true;
        const parts = [];
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) parts.push(state.running.update(bytes.subarray(at, at + PIECE_BYTES)));
        return encoded(state, parts.length === 1 ? parts[0] : Buffer.concat(parts), outputEncoding, false);
      },
      final(outputEncoding) {
        const state = states.get(this);
        if (state.isFinal) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state');
        state.isFinal = true;
        const result = state.running.final(state.encrypts ? NO_BYTES : state.tag ?? NO_BYTES);
        if (result === 'length') throw coded(Error, 'ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH', 'error:1C80006B:Provider routines::wrong final block length');
        if (result === 'data' && state.mode === 'gcm') throw new Error('Unsupported state or unable to authenticate data');
        if (result === 'data') throw coded(Error, 'ERR_OSSL_BAD_DECRYPT', 'error:1C800064:Provider routines::bad decrypt');
        if (state.encrypts) state.tag = result[1]?.slice(0, state.tagBytes ?? BLOCK_BYTES);
        return encoded(state, result[0], outputEncoding, true);
      },
      setAutoPadding(padding = true) {
        if (states.get(this).isFinal) throw wrongState('setAutoPadding');
        if (!padding) states.get(this).running.noPadding();
        return this;
      },
      setAAD(data, options) {
        const state = states.get(this);
        if (state.isFinal || state.hasData || state.mode !== 'gcm') throw wrongState('setAAD');
        state.running.addData(bytesOf(data, 'buffer', options?.encoding));
        return this;
      },
      _transform(chunk, encoding, done) {
        try {
          this.push(this.update(chunk, encoding));
          done();
        } catch (error) {
          done(error);
        }
      },
      _flush(done) {
        try {
          this.push(this.final());
          done();
        } catch (error) {
          done(error);
        }
      },
    };

    function Cipheriv(cipher, key, iv, options) {
      if (!new.target) return new Cipheriv(cipher, key, iv, options);
      begin(this, Cipheriv, true, cipher, key, iv, options);
    }
    function Decipheriv(cipher, key, iv, options) {
      if (!new.target) return new Decipheriv(cipher, key, iv, options);
      begin(this, Decipheriv, false, cipher, key, iv, options);
    }
    define(Cipheriv, common);
    define(Cipheriv, {
      getAuthTag() {
        const state = states.get(this);
        if (!state.isFinal || state.tag === undefined) throw wrongState('getAuthTag');
        return Buffer.from(state.tag);
      },
    });
    define(Decipheriv, common);
    define(Decipheriv, {
      setAuthTag(tag, encoding) {
        const state = states.get(this);
        if (state.isFinal || state.mode !== 'gcm' || state.tag !== undefined) throw wrongState('setAuthTag');
        const bytes = bytesOf(tag, 'buffer', encoding);
        checkTag(bytes.length);
        if (state.tagBytes !== undefined && state.tagBytes !== bytes.length) throw coded(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${bytes.length}`);
        state.tag = Uint8Array.from(bytes);
        return this;
      },
    });
    for (const Class of [Cipheriv, Decipheriv]) becomesStream(Class, (value) => states.get(value));
    return {
      Cipheriv, Decipheriv,
      createCipheriv: (cipher, key, iv, options) => new Cipheriv(cipher, key, iv, options),
      createDecipheriv: (cipher, key, iv, options) => new Decipheriv(cipher, key, iv, options),
      getCiphers: () => Object.keys(NIDS),
      getCipherInfo: infoOf,
    };
  };
})
