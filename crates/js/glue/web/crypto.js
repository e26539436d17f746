// crypto: https://w3c.github.io/webcrypto/#Crypto-interface ; the rest of it is in subtle.js.
(function (native) {
  'use strict';
  const QUOTA_BYTES = 65536;
  const TypedArray = Object.getPrototypeOf(Uint8Array);

  class Crypto {
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
