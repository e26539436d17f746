// Accessors that replace themselves by the value when they are first read or assigned.
(function (native) {
  'use strict';
  const define = (name, value) => {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    return value;
  };
  const lazy = (name, make) => Object.defineProperty(globalThis, name, {
    configurable: true,
    get: () => define(name, make()),
    set: (value) => { define(name, value); },
  });
  lazy('Buffer', () => native.use('buffer').Buffer);
  lazy('process', () => native.use('process'));
  lazy('setImmediate', () => native.use('timers').setImmediate);
  lazy('clearImmediate', () => native.use('timers').clearImmediate);
  define('global', globalThis);
})
