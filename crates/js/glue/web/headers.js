// Headers: https://fetch.spec.whatwg.org/#headers-class
(function (native) {
  'use strict';
  const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const NOT_IN_VALUES = /[\0\r\n\u0100-\uFFFF]/;
  const SET_COOKIE = 'set-cookie';

  // Most programs use few names again and again, and a look-up is cheaper than a check.
  const MAX_KNOWN_NAMES = 200;
  const knownNames = new Map();

  const nameOf = (name) => {
    const known = knownNames.get(name);
    if (known !== undefined) return known;
    name = `${name}`;
    if (!TOKEN.test(name)) throw new TypeError(`Invalid header name: ${JSON.stringify(name)}`);
    const lower = name.toLowerCase();
    if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, lower);
    return lower;
  };
  const valueOf = (value) => {
    value = `${value}`;
    if (native.isPlainHeaderValue(value)) return value;
    value = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
    if (NOT_IN_VALUES.test(value)) throw new TypeError(`Invalid header value: ${JSON.stringify(value)}`);
    return value;
  };
  const required = (count, given, method) => {
    if (given < count) throw new TypeError(`Failed to execute '${method}' on 'Headers': ${count} arguments required, but only ${given} present.`);
  };

  class Headers {
    // By lower-case name: the values joined, and each one alone for set-cookie.
    #values = new Map();

    constructor(init) {
      if (init === undefined) return;
      if (typeof init !== 'object' || init === null) throw new TypeError("Failed to construct 'Headers': the value is not a list of pairs or an object.");
      if (#values in init && init[Symbol.iterator] === Headers.prototype[Symbol.iterator]) {
        init.#values.forEach((value, name) => this.#values.set(name, typeof value === 'string' ? value : [...value]));
      } else if (typeof init[Symbol.iterator] === 'function') {
        for (const pair of init) {
          const list = typeof pair === 'object' && pair !== null ? [...pair] : [];
          if (list.length !== 2) throw new TypeError("Failed to construct 'Headers': each entry must be a pair of a name and a value.");
          this.append(list[0], list[1]);
        }
      } else {
        const names = Object.keys(init);
        for (let i = 0; i < names.length; i++) this.append(names[i], init[names[i]]);
      }
    }

    append(name, value) {
      required(2, arguments.length, 'append');
      name = nameOf(name);
      value = valueOf(value);
      const before = this.#values.get(name);
      if (name === SET_COOKIE) {
        if (before) before.push(value);
        else this.#values.set(name, [value]);
      } else {
        this.#values.set(name, before === undefined ? value : `${before}, ${value}`);
      }
    }

    set(name, value) {
      required(2, arguments.length, 'set');
      name = nameOf(name);
      value = valueOf(value);
      this.#values.set(name, name === SET_COOKIE ? [value] : value);
    }

    get(name) {
      required(1, arguments.length, 'get');
      const value = this.#values.get(nameOf(name));
      return value === undefined ? null : typeof value === 'string' ? value : value.join(', ');
    }

    getSetCookie() { return [...this.#values.get(SET_COOKIE) ?? []]; }

    has(name) {
      required(1, arguments.length, 'has');
      return this.#values.has(nameOf(name));
    }

    delete(name) {
      required(1, arguments.length, 'delete');
      this.#values.delete(nameOf(name));
    }

    forEach(callback, thisArg) {
      for (const [name, value] of this) callback.call(thisArg, value, name, this);
    }

    *entries() {
      for (const name of [...this.#values.keys()].sort()) {
        const value = this.#values.get(name);
        if (typeof value === 'string') yield [name, value];
        else for (const one of value ?? []) yield [name, one];
      }
    }
    *keys() { for (const [name] of this) yield name; }
    *values() { for (const [, value] of this) yield value; }
  }
  Object.defineProperty(Headers.prototype, Symbol.iterator, {
    value: Headers.prototype.entries, writable: true, configurable: true,
  });

  native.tag(Headers);
  return { Headers };
})
