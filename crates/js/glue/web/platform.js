// performance and navigator: the few values that programs look for.
(function (native) {
  'use strict';

  class Performance {
    #timeOrigin = native.unixMs() - native.now();
    get timeOrigin() { return this.#timeOrigin; }
    now() { return native.now(); }
    toJSON() { return { timeOrigin: this.#timeOrigin }; }
  }

  class Navigator {
    get userAgent() { return 'Dolmen'; }
  }

  for (const constructor of [Performance, Navigator]) native.tag(constructor);
  return { performance: new Performance(), Performance, navigator: new Navigator(), Navigator };
})
