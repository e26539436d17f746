// util: https://nodejs.org/api/util.html
(function (native) {
  'use strict';
  const { check, coded, invalidType, invalidValue, withMissing } = native.use('internal/errors');
  const { inspect, format, formatWithOptions, stripVTControlCharacters } = native.use('internal/inspect');
  const types = native.use('util/types');

  const CUSTOM = Symbol.for('nodejs.util.promisify.custom');
  const promisify = (original) => {
    check.function(original, 'original');
    if (original[CUSTOM]) {
      check.function(original[CUSTOM], 'util.promisify.custom');
      return Object.defineProperty(original[CUSTOM], CUSTOM, { value: original[CUSTOM], configurable: true });
    }
    function promised(...args) {
      return new Promise((resolve, reject) => {
        Reflect.apply(original, this, [...args, (error, ...values) => error ? reject(error) : resolve(values[0])]);
      });
    }
    Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
    Object.defineProperty(promised, CUSTOM, { value: promised, configurable: true });
    const own = Object.getOwnPropertyDescriptors(original);
    for (const key of Reflect.ownKeys(own)) if (own[key].configurable) Object.defineProperty(promised, key, own[key]);
    return promised;
  };
  promisify.custom = CUSTOM;

  const callbackify = (original) => {
    check.function(original, 'original');
    function callbackified(...args) {
      const callback = args.pop();
      check.function(callback, 'last argument');
      Reflect.apply(original, this, args).then(
        (value) => queueMicrotask(() => callback.call(this, null, value)),
        (reason) => queueMicrotask(() => {
          if (!reason) {
            const error = coded(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
            error.reason = reason;
            reason = error;
          }
          callback.call(this, reason);
        }),
      );
    }
    const own = Object.getOwnPropertyDescriptors(original);
    if (typeof own.length.value === 'number') own.length.value++;
    if (typeof own.name.value === 'string') own.name.value += 'Callbackified';
    delete own.prototype;
    return Object.defineProperties(callbackified, own);
  };

  const inherits = (constructor, parent) => {
    check.function(constructor, 'ctor');
    check.function(parent, 'superCtor');
    if (parent.prototype === undefined) throw invalidType('superCtor.prototype', 'Object', parent.prototype);
    Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(constructor.prototype, parent.prototype);
  };

  const warned = new Set();
  const deprecate = (original, message, code) => {
    check.function(original, 'fn');
    if (code !== undefined) check.string(code, 'code');
    let told = false;
    function deprecated(...args) {
      if (!told) {
        told = true;
        if (code === undefined || !warned.has(code)) {
          if (code !== undefined) warned.add(code);
          native.use('process').emitWarning(message, 'DeprecationWarning', code, deprecated);
        }
      }
      return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
    }
    Object.setPrototypeOf(deprecated, original);
    if (original.prototype) deprecated.prototype = original.prototype;
    return deprecated;
  };

  // Sections are named in NODE_DEBUG, which a program may set in process.env.
  const debuglog = (section, ready) => {
    const name = `${section}`.toUpperCase();
    const isOn = () => {
      const sections = native.use('process').env.NODE_DEBUG;
      return sections !== undefined && sections.split(',').some((one) => {
        const pattern = one.trim().toUpperCase().replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*');
        return new RegExp(`^${pattern}$`).test(name);
      });
    };
    const log = (...args) => { if (isOn()) globalThis.console?.error(`${name}: ${format(...args)}`); };
    Object.defineProperty(log, 'enabled', { get: isOn, enumerable: true, configurable: true });
    ready?.(log);
    return log;
  };

  const aborted = async (signal, resource) => {
    check.signal(signal, 'signal');
    if (signal === undefined) throw invalidType('signal', 'AbortSignal', signal);
    check.object(resource, 'resource');
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  };

  const styleText = (style, text) => {
    check.string(text, 'text');
    let [open, close] = ['', ''];
    for (const name of Array.isArray(style) ? style : [style]) {
      if (name === 'none') continue;
      const color = inspect.colors[name];
      if (!color) throw invalidValue('style', name, `must be one of: ${Object.keys(inspect.colors).join(', ')}`);
      open += `\x1B[${color[0]}m`;
      close = `\x1B[${color[1]}m${close}`;
    }
    return open + text + close;
  };

  const util = {
    inspect, format, formatWithOptions, stripVTControlCharacters, promisify, callbackify, inherits, deprecate, debuglog,
    debug: debuglog, types, aborted, styleText,
    isDeepStrictEqual: (left, right) => native.use('internal/equal').isDeepStrictEqual(left, right),
    isArray: Array.isArray,
    toUSVString: (text) => `${text}`.toWellFormed(),
    TextEncoder: native.web('TextEncoder'),
    TextDecoder: native.web('TextDecoder'),
  };
  withMissing(util, 'util', ['parseArgs', 'parseEnv', 'getSystemErrorName', 'getSystemErrorMap', 'getCallSites',
    'transferableAbortController', 'transferableAbortSignal', 'MIMEType', 'MIMEParams']);
  return util;
})
