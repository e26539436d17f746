// Keys derived from secrets: PBKDF2, HKDF (RFC 5869) and scrypt (RFC 7914). Each is worked out in pieces, so that
// no call of Rust holds the shard.
(function (native) {
  'use strict';
  const { check, coded, invalidType, outOfRange } = native.use('internal/errors');
  const { Buffer } = native.use('buffer');
  const MAX_LENGTH = 2 ** 31 - 1;
  const PIECE_ROUNDS = 200;
  // Salsa20 mixes 64 bytes at a time, in well under a microsecond.
  const PIECE_MIXED_BYTES = 256 << 10;
  const MAX_HKDF_INFO_BYTES = 1024;
  const MAX_HKDF_BLOCKS = 255;
  const DEFAULT_SCRYPT_MEMORY_BYTES = 32 << 20;

  const pbkdf2 = (hash, password, salt, iterations, length) => {
    const key = Buffer.alloc(length);
    for (let block = 1, at = 0; at < length; block++) {
      const rounds = native.pbkdf2(hash, password, salt, block);
      let bytes;
      for (let done = 0; done < iterations; done += PIECE_ROUNDS) bytes = rounds(Math.min(PIECE_ROUNDS, iterations - done));
      key.set(bytes.subarray(0, length - at), at);
      at += bytes.length;
    }
    return key;
  };

  const hmac = (hash, key, ...parts) => {
    const running = native.hmac(hash, key);
    for (const part of parts) running.update(part);
    return running.digest();
  };
  const hkdf = (hash, secret, salt, info, length) => {
    const random = hmac(hash, salt, secret);
    if (length > MAX_HKDF_BLOCKS * random.length) throw coded(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    const key = new Uint8Array(length);
    let block = new Uint8Array(0);
    for (let number = 1, at = 0; at < length; number++) {
      block = hmac(hash, random, block, info, Uint8Array.of(number));
      key.set(block.subarray(0, length - at), at);
      at += block.length;
    }
    return key.buffer;
  };
  const checkHkdf = (info, length) => {
    if (info.length > MAX_HKDF_INFO_BYTES) throw outOfRange('info', `must not contain more than ${MAX_HKDF_INFO_BYTES} bytes`, info.length);
    check.integer(length, 'length', 0, MAX_LENGTH);
  };

  const SCRYPT_NAMES = [['N', 'cost', 16384], ['r', 'blockSize', 8], ['p', 'parallelization', 1]];
  const scryptOptions = (options) => {
    if (options === null || (typeof options !== 'object' && options !== undefined)) throw invalidType('options', 'Object', options);
    const numbers = SCRYPT_NAMES.map(([short, long, preset]) => {
      const [name] = [short, long].filter((each) => options?.[each] !== undefined);
      if (options?.[short] !== undefined && options[long] !== undefined) {
        throw coded(Error, 'ERR_CRYPTO_SCRYPT_INVALID_PARAMETER', 'Invalid scrypt parameter');
      }
      if (name === undefined) return preset;
      check.integer(options[name], name, 0, 2 ** 32 - 1);
      return options[name] === 0 ? preset : options[name];
    });
    const [cost, blockSize, lanes] = numbers;
    const most = options?.maxmem ?? DEFAULT_SCRYPT_MEMORY_BYTES;
    check.integer(most, 'maxmem', 0);
    const wrong = (why) => coded(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', `Invalid scrypt params${why}`);
    if (cost < 2 || !Number.isInteger(Math.log2(cost)) || lanes * blockSize >= 2 ** 30) throw wrong('');
    // As OpenSSL counts: the lanes, the memory, and two blocks besides.
    if (128 * blockSize * (lanes + cost + 2) > most) throw wrong(': memory limit exceeded');
    return numbers;
  };
  const scrypt = (password, salt, length, [cost, blockSize, lanes]) => {
    const bytes = 128 * blockSize;
    const piece = Math.max(1, Math.trunc(PIECE_MIXED_BYTES / bytes));
    const all = pbkdf2('sha256', password, salt, 1, lanes * bytes);
    const memory = new Uint8Array(cost * bytes);
    for (let lane = 0; lane < lanes; lane++) {
      let block = all.subarray(lane * bytes, (lane + 1) * bytes);
      for (let done = 0; done < cost; done += piece) {
        const filled = native.scryptFill(block, Math.min(piece, cost - done));
        block = filled.subarray(filled.length - bytes);
        memory.set(filled.subarray(0, filled.length - bytes), done * bytes);
      }
      for (let done = 0; done < cost; done += piece) block = native.scryptMix(block, memory, Math.min(piece, cost - done));
      all.set(block, lane * bytes);
    }
    return pbkdf2('sha256', password, all, 1, length);
  };

  return { pbkdf2, hkdf, checkHkdf, scrypt, scryptOptions };
})
