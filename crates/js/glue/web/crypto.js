// crypto: https://w3c.github.io/webcrypto/#Crypto-interface ; the rest of it is in subtle.js. Beyond the standard it has
// DigestStream: https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors
(function (native) {
  'use strict';
  const QUOTA_BYTES = 65536;
  const TypedArray = Object.getPrototypeOf(Uint8Array);

  // By the names of subtle.digest; these are Node's.
  const HASHES = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
  const PIECE_BYTES = 65536;
  const bytesOf = (chunk) => {
    if (typeof chunk === 'string') return native.encode(chunk);
    if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return native.bytesOf(chunk);
    throw new TypeError('DigestStream is a byte stream but received an object of non-ArrayBuffer/ArrayBufferView/string type on its writable side.');
  };

  // A function, because the class that it extends is built with it.
  const digestStream = () => class DigestStream extends native.use('WritableStream') {
    #digest;
    #written = 0n;
    constructor(algorithm) {
      const name = `${typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase();
      if (!Object.hasOwn(HASHES, name)) throw new DOMException('Unrecognized or unimplemented digest algorithm requested.', 'NotSupportedError');
      const hash = native.hash(HASHES[name]);
      const { promise, resolve, reject } = Promise.withResolvers();
      super({
        write: (chunk) => {
          try {
            const bytes = bytesOf(chunk);
            for (let at = 0; at < bytes.length; at += PIECE_BYTES) hash.update(bytes.subarray(at, at + PIECE_BYTES));
            this.#written += BigInt(bytes.length);
          } catch (error) {
            reject(error);
            throw error;
          }
        },
        close: () => resolve(hash.digest().buffer),
        abort: (reason) => reject(reason),
      });
      this.#digest = promise;
      // Who never asks for the digest has no use for its failure.
      promise.catch(() => {});
    }
    get digest() { return this.#digest; }
    get bytesWritten() { return this.#written; }
  };
  let DigestStream;

  class Crypto {
    get DigestStream() {
      if (DigestStream === undefined) native.tag(DigestStream = digestStream());
      return DigestStream;
    }
    get subtle() { return native.use('subtle'); }

    getRandomValues(view) {
      if (!(view instanceof TypedArray) || view instanceof Float32Array || view instanceof Float64Array
        || (typeof Float16Array === 'function' && view instanceof Float16Array)) {
        throw new DOMException('getRandomValues fills integer typed arrays only', 'TypeMismatchError');
      }
      if (view.byteLength > QUOTA_BYTES) {
        throw new DOMException(`getRandomValues gives at most ${QUOTA_BYTES} bytes at a time, not ${view.byteLength}`, 'QuotaExceededError');
      }
      native.bytesOf(view).set(native.random(view.byteLength));
      return view;
    }

    randomUUID() { return native.randomUUID(); }
  }

  native.tag(Crypto);
  return { crypto: new Crypto(), Crypto };
})
