// util.types: asks the engine, so that what a program does to prototypes does not matter.
(function (native) {
  'use strict';
  const { classOf } = native;
  const of = (...names) => {
    const set = new Set(names);
    return (value) => set.has(classOf(value));
  };
  const TYPED = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
    'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
  const BOXED = ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'];
  const ASYNC = ['AsyncFunction', 'AsyncGeneratorFunction'];
  const types = {
    isArgumentsObject: of('Arguments'),
    isAnyArrayBuffer: of('ArrayBuffer', 'SharedArrayBuffer'),
    isArrayBuffer: of('ArrayBuffer'),
    isArrayBufferView: (value) => ArrayBuffer.isView(value),
    isAsyncFunction: of(...ASYNC),
    isBoxedPrimitive: of(...BOXED),
    isDataView: of('DataView'),
    isDate: of('Date'),
    isExternal: () => false,
    isGeneratorFunction: of('GeneratorFunction', 'AsyncGeneratorFunction'),
    isGeneratorObject: of('Generator', 'AsyncGenerator'),
    isMap: of('Map'),
    isMapIterator: of('Map Iterator'),
    isModuleNamespaceObject: (value) => typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
      && Object.getOwnPropertyDescriptor(value, Symbol.toStringTag)?.value === 'Module' && !Object.isExtensible(value),
    isNativeError: of('Error'),
    isPromise: of('Promise'),
    isProxy: of('Proxy'),
    isRegExp: of('RegExp'),
    isSet: of('Set'),
    isSetIterator: of('Set Iterator'),
    isSharedArrayBuffer: of('SharedArrayBuffer'),
    isTypedArray: of(...TYPED),
    isWeakMap: of('WeakMap'),
    isWeakSet: of('WeakSet'),
    isCryptoKey: (value) => typeof CryptoKey === 'function' && value instanceof CryptoKey,
    isKeyObject: (value) => Object.prototype.toString.call(value) === '[object KeyObject]',
  };
  for (const name of BOXED) types[name === 'BigInt' ? 'isBigIntObject' : `is${name}Object`] = of(name);
  for (const name of TYPED) types[`is${name}`] = of(name);
  return types;
})
