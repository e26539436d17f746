// crypto: https://w3c.github.io/webcrypto/ , as far as random numbers and digests.
(function (native) {
  'use strict';
  const QUOTA_BYTES = 65536;
  const NOT_YET = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveBits', 'deriveKey', 'exportKey', 'generateKey',
    'importKey', 'unwrapKey', 'wrapKey', 'timingSafeEqual'];
  const TypedArray = Object.getPrototypeOf(Uint8Array);

  class SubtleCrypto {
    async digest(algorithm, data) {
      const name = `${typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm}`.toUpperCase();
      const bytes = native.bytesOf(data);
      const result = native.digest(name, bytes);
      if (!result) throw new DOMException(`Unrecognized or unimplemented digest algorithm requested: ${name}`, 'NotSupportedError');
      return result;
    }
  }
  for (const name of NOT_YET) {
    if (name === 'timingSafeEqual') continue;
    const method = {
      async [name]() {
        throw new DOMException(`crypto.subtle.${name} is not supported yet: see docs/reference/web-apis.md`, 'NotSupportedError');
      },
    }[name];
    Object.defineProperty(SubtleCrypto.prototype, name, { value: method, writable: true, enumerable: true, configurable: true });
  }
  Object.defineProperty(SubtleCrypto.prototype, 'timingSafeEqual', {
    value: function timingSafeEqual(a, b) {
      const [left, right] = [native.bytesOf(a), native.bytesOf(b)];
      if (left.length !== right.length) throw new TypeError('Input buffers must have the same byte length');
      return native.timingSafeEqual(left, right);
    },
    writable: true, enumerable: true, configurable: true,
  });

  class Crypto {
    #subtle = new SubtleCrypto();
    get subtle() { return this.#subtle; }

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

  for (const constructor of [Crypto, SubtleCrypto]) native.tag(constructor);
  return { crypto: new Crypto(), Crypto, SubtleCrypto };
})
