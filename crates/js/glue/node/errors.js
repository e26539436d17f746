// Errors with Node's codes, and the checks of arguments that throw them.
(function (native) {
  'use strict';

  const coded = (Base, code, message) => {
    const error = new Base(message);
    Object.defineProperty(error, 'code', { value: code, writable: true, enumerable: true, configurable: true });
    return error;
  };

  // What Node says of a value of the wrong type.
  const received = (value) => {
    if (value === null || value === undefined) return ` Received ${value}`;
    if (typeof value === 'function') return ` Received function ${value.name}`;
    if (typeof value === 'object') {
      const name = value.constructor?.name;
      return name ? ` Received an instance of ${name}` : ` Received ${native.use('internal/inspect').inspect(value, { depth: -1 })}`;
    }
    let shown = native.use('internal/inspect').inspect(value, { colors: false });
    if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
    return ` Received type ${typeof value} (${shown})`;
  };

  const PRIMITIVES = ['string', 'function', 'number', 'object', 'boolean', 'bigint', 'symbol', 'undefined'];
  const list = (names) => names.length < 3 ? names.join(' or ') : `${names.slice(0, -1).join(', ')}, or ${names.at(-1)}`;

  const invalidType = (name, expected, value) => {
    const all = Array.isArray(expected) ? expected : [expected];
    const types = all.map((one) => one === 'Object' || one === 'Function' ? one.toLowerCase() : one).filter((one) => PRIMITIVES.includes(one));
    const classes = all.filter((one) => !PRIMITIVES.includes(one) && one !== 'Object' && one !== 'Function');
    const parts = [];
    if (types.length > 0) parts.push(types.length > 1 ? `one of type ${list(types)}` : `of type ${types[0]}`);
    if (classes.length > 0) parts.push(`an instance of ${list(classes)}`);
    const what = name.includes('.') ? 'property' : 'argument';
    const subject = name.endsWith(' argument') ? `The ${name}` : `The "${name}" ${what}`;
    return coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${subject} must be ${parts.join(' or ')}.${received(value)}`);
  };

  const invalidValue = (name, value, reason = 'is invalid') => {
    const what = name.includes('.') ? 'property' : 'argument';
    const shown = native.use('internal/inspect').inspect(value);
    return coded(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${what} '${name}' ${reason}. Received ${shown.length > 128 ? `${shown.slice(0, 128)}...` : shown}`);
  };

  const grouped = (value) => {
    const digits = String(value);
    const sign = digits.startsWith('-') ? '-' : '';
    return sign + digits.slice(sign.length).replace(/\B(?=(\d{3})+$)/g, '_');
  };
  const outOfRange = (name, range, value) => {
    let shown = String(value);
    if (Number.isInteger(value) && Math.abs(value) > 2 ** 32) shown = grouped(value);
    else if (typeof value === 'bigint') shown = `${value > 2n ** 32n || value < -(2n ** 32n) ? grouped(value) : value}n`;
    return coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`);
  };

  // A function that says that Dolmen does not have it.
  const missing = (module, name) => ({
    [name]() {
      throw coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `node:${module} ${name} is not implemented in Dolmen`);
    },
  })[name];

  const check = {
    function(value, name) { if (typeof value !== 'function') throw invalidType(name, 'function', value); },
    string(value, name) { if (typeof value !== 'string') throw invalidType(name, 'string', value); },
    boolean(value, name) { if (typeof value !== 'boolean') throw invalidType(name, 'boolean', value); },
    object(value, name) { if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(name, 'Object', value); },
    number(value, name, min = -Infinity, max = Infinity) {
      if (typeof value !== 'number') throw invalidType(name, 'number', value);
      if (!(value >= min && value <= max)) throw outOfRange(name, max === Infinity ? `>= ${min}` : `>= ${min} && <= ${max}`, value);
    },
    integer(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
      if (typeof value !== 'number') throw invalidType(name, 'number', value);
      if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
      if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
    },
    signal(value, name) {
      if (value !== undefined && (typeof value !== 'object' || value === null || !('aborted' in value))) throw invalidType(name, 'AbortSignal', value);
    },
  };

  class AbortError extends Error {
    code = 'ABORT_ERR';
    constructor(message = 'The operation was aborted', options) {
      super(message, options);
    }
    get name() { return 'AbortError'; }
  }

  // A module's object: the names in the order given, each writable and shown.
  const withMissing = (exports, module, names) => {
    for (const name of names) exports[name] ??= missing(module, name);
    return exports;
  };

  return { coded, invalidType, invalidValue, outOfRange, missing, withMissing, check, AbortError };
})
