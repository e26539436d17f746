// Deep equality: https://nodejs.org/api/assert.html#assertdeepstrictequalactual-expected-message
(function (native) {
  'use strict';
  const { classOf } = native;
  const enumerable = (value) => Object.getOwnPropertySymbols(value)
    .filter((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol));

  // `pairs` holds the objects being compared, so that circles end.
  const equal = (left, right, strict, pairs) => {
    if (left === right) return left !== 0 || !strict || Object.is(left, right);
    if (strict) {
      if (typeof left !== 'object' || left === null) return Number.isNaN(left) && Number.isNaN(right);
      if (typeof right !== 'object' || right === null) return false;
      if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) return false;
    } else {
      if (left === null || typeof left !== 'object') {
        // eslint-disable-next-line eqeqeq
        return (right === null || typeof right !== 'object') && (left == right || (Number.isNaN(left) && Number.isNaN(right)));
      }
      if (right === null || typeof right !== 'object') return false;
    }
    const kind = classOf(left);
    if (kind !== classOf(right)) return false;
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    if (Object.prototype.toString.call(left) !== Object.prototype.toString.call(right)) return false;

    if (Array.isArray(left)) {
      if (left.length !== right.length) return false;
    } else if (kind === 'Date') {
      if (!Object.is(Date.prototype.getTime.call(left), Date.prototype.getTime.call(right))) return false;
    } else if (kind === 'RegExp') {
      if (`${left}` !== `${right}` || left.lastIndex !== right.lastIndex) return false;
    } else if (kind === 'Error' || left instanceof Error) {
      if (left.message !== right.message || left.name !== right.name) return false;
      for (const key of ['cause', 'errors']) {
        if (Object.hasOwn(left, key) !== Object.hasOwn(right, key)) return false;
        if (Object.hasOwn(left, key) && !inside(left, right, pairs, () => equal(left[key], right[key], strict, pairs))) return false;
      }
    } else if (ArrayBuffer.isView(left)) {
      if (!sameBytes(left, right, kind, strict)) return false;
    } else if (kind === 'ArrayBuffer' || kind === 'SharedArrayBuffer') {
      if (!sameBytes(new Uint8Array(left), new Uint8Array(right), 'Uint8Array', strict)) return false;
    } else if (kind === 'Set' || kind === 'Map') {
      if (left.size !== right.size) return false;
    } else if (['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].includes(kind)) {
      const [one, other] = [Object.prototype.valueOf.call(left).valueOf(), Object.prototype.valueOf.call(right).valueOf()];
      if (!Object.is(one, other)) return false;
    } else if (kind === 'WeakMap' || kind === 'WeakSet' || kind === 'Promise') {
      return false;
    }
    return inside(left, right, pairs, () => sameContents(left, right, kind, strict, pairs));
  };

  const inside = (left, right, pairs, compare) => {
    if (pairs.some(([one, other]) => one === left && other === right)) return true;
    pairs.push([left, right]);
    const result = compare();
    pairs.pop();
    return result;
  };

  const sameBytes = (left, right, kind, strict) => {
    if (left.byteLength !== right.byteLength) return false;
    if (kind === 'Float32Array' || kind === 'Float64Array' || kind === 'Float16Array') {
      for (let at = 0; at < left.length; at++) {
        if (strict ? !Object.is(left[at], right[at]) : left[at] !== right[at]) return false;
      }
      return true;
    }
    const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const [one, other] = [bytes(left), bytes(right)];
    for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
    return true;
  };

  const keysOf = (value) => {
    const keys = Object.keys(value);
    // The elements of typed arrays are compared as bytes.
    return ArrayBuffer.isView(value) ? keys.filter((key) => !/^\d+$/.test(key)) : keys;
  };

  const sameContents = (left, right, kind, strict, pairs) => {
    const keys = keysOf(left);
    if (keys.length !== keysOf(right).length) return false;
    for (const key of keys) if (!Object.prototype.propertyIsEnumerable.call(right, key)) return false;
    if (strict) {
      const symbols = enumerable(left);
      if (symbols.length !== enumerable(right).length) return false;
      for (const symbol of symbols) if (!Object.prototype.propertyIsEnumerable.call(right, symbol)) return false;
      keys.push(...symbols);
    }
    if (kind === 'Set' && !sameSets(left, right, strict, pairs)) return false;
    if (kind === 'Map' && !sameMaps(left, right, strict, pairs)) return false;
    return keys.every((key) => equal(left[key], right[key], strict, pairs));
  };

  const isPlain = (value, strict) => typeof value !== 'object' && typeof value !== 'function' ? strict || typeof value !== 'string' : false;

  const sameSets = (left, right, strict, pairs) => {
    const rest = [];
    for (const item of left) {
      if (right.has(item)) continue;
      if (isPlain(item, strict) && strict) return false;
      rest.push(item);
    }
    if (rest.length === 0) return true;
    const others = [...right].filter((item) => !left.has(item));
    return rest.every((item) => {
      const at = others.findIndex((other) => equal(item, other, strict, pairs));
      if (at < 0) return false;
      others.splice(at, 1);
      return true;
    });
  };

  const sameMaps = (left, right, strict, pairs) => {
    const rest = [];
    for (const [key, value] of left) {
      if (right.has(key)) {
        if (!equal(value, right.get(key), strict, pairs)) return false;
      } else {
        if (strict && isPlain(key, strict)) return false;
        rest.push([key, value]);
      }
    }
    if (rest.length === 0) return true;
    const others = [...right].filter(([key]) => !left.has(key));
    return rest.every(([key, value]) => {
      const at = others.findIndex(([other, itsValue]) => equal(key, other, strict, pairs) && equal(value, itsValue, strict, pairs));
      if (at < 0) return false;
      others.splice(at, 1);
      return true;
    });
  };

  return {
    isDeepStrictEqual: (left, right) => equal(left, right, true, []),
    isDeepEqual: (left, right) => equal(left, right, false, []),
  };
})
