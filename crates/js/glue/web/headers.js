// Headers: https://fetch.spec.whatwg.org/#headers-class
// A list is one text, in which each header is "\nname\0value": a text costs less to make and to search than a Map,
// and goes to and from Rust in one piece. Neither a name nor a value can have a line feed or a zero in it.
(function (native) {
  'use strict';
  const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const NOT_IN_VALUES = /[\0\r\n\u0100-\uFFFF]/;
  const SET_COOKIE = '\nset-cookie\0';

  // Most programs use few names again and again, and a look-up is cheaper than a check.
  const MAX_KNOWN_NAMES = 200;
  const knownKeys = new Map();
  let textOf;

  // What stands before the value of a header of this name.
  const keyOf = (name) => {
    const known = knownKeys.get(name);
    if (known !== undefined) return known;
    name = `${name}`;
    if (!TOKEN.test(name)) throw new TypeError(`Invalid header name: ${JSON.stringify(name)}`);
    const key = `\n${name.toLowerCase()}\0`;
    if (knownKeys.size < MAX_KNOWN_NAMES) knownKeys.set(name, key);
    return key;
  };
  const valueOf = (value) => {
    if (typeof value !== 'string') value = `${value}`;
    if (native.isPlainHeaderValue(value)) return value;
    value = value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
    if (NOT_IN_VALUES.test(value)) throw new TypeError(`Invalid header value: ${JSON.stringify(value)}`);
    return value;
  };

  const endOf = (text, at) => {
    const end = text.indexOf('\n', at);
    return end < 0 ? text.length : end;
  };
  // The values of every header of a name.
  const valuesIn = (text, key) => {
    const values = [];
    for (let at = text.indexOf(key); at >= 0;) {
      at += key.length;
      const end = endOf(text, at);
      values.push(text.slice(at, end));
      at = text.indexOf(key, end);
    }
    return values;
  };
  const valueIn = (text, key) => {
    const at = text.indexOf(key);
    if (at < 0) return null;
    const start = at + key.length;
    const end = text.indexOf('\n', start);
    if (end < 0) return text.slice(start);
    if (text.indexOf(key, end) < 0) return text.slice(start, end);
    return valuesIn(text, key).join(', ');
  };
  const without = (text, key) => {
    for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at)) {
      text = text.slice(0, at) + text.slice(endOf(text, at + key.length));
    }
    return text;
  };

  // The text of what `new Headers` takes.
  const textOfInit = (init) => {
    if (init === undefined) return '';
    if (typeof init !== 'object' || init === null) throw new TypeError("Failed to construct 'Headers': the value is not a list of pairs or an object.");
    let text = '';
    const iterate = init[Symbol.iterator];
    if (iterate === undefined || iterate === null) {
      const names = Object.keys(init);
      for (let i = 0; i < names.length; i++) text += keyOf(names[i]) + valueOf(init[names[i]]);
      return text;
    }
    if (iterate === ownIterator) {
      const own = textOf(init);
      if (own !== undefined) return own;
    }
    for (const pair of init) {
      const list = typeof pair === 'object' && pair !== null ? [...pair] : [];
      if (list.length !== 2) throw new TypeError("Failed to construct 'Headers': each entry must be a pair of a name and a value.");
      text += keyOf(list[0]) + valueOf(list[1]);
    }
    return text;
  };

  // [name, value] pairs by name; those of one name are joined, except set-cookie.
  const pairsOf = (text) => {
    const all = new Map();
    const entries = text.split('\n');
    for (let i = 1; i < entries.length; i++) {
      const end = entries[i].indexOf('\0');
      const name = entries[i].slice(0, end);
      const value = entries[i].slice(end + 1);
      const before = all.get(name);
      all.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    const pairs = [];
    for (const name of [...all.keys()].sort()) {
      if (name !== 'set-cookie') pairs.push([name, all.get(name)]);
      else for (const value of valuesIn(text, SET_COOKIE)) pairs.push([name, value]);
    }
    return pairs;
  };

  // Tells a text of ours from what a program passes.
  const ours = Symbol();

  class Headers {
    #text;
    constructor(init, text) { this.#text = init === ours ? text : textOfInit(init); }

    append(name, ...values) {
      if (values.length === 0) throw new TypeError("Failed to execute 'append' on 'Headers': 2 arguments required, but only 1 present.");
      this.#text += keyOf(name) + valueOf(values[0]);
    }
    set(name, ...values) {
      if (values.length === 0) throw new TypeError("Failed to execute 'set' on 'Headers': 2 arguments required, but only 1 present.");
      const key = keyOf(name);
      const value = valueOf(values[0]);
      this.#text = without(this.#text, key) + key + value;
    }
    get(name) { return valueIn(this.#text, keyOf(name)); }
    getSetCookie() { return valuesIn(this.#text, SET_COOKIE); }
    // Of Workers, from before there was getSetCookie.
    getAll(name) {
      if (arguments.length === 0) throw new TypeError("Failed to execute 'getAll' on 'Headers': parameter 1 is not of type 'string'.");
      if (keyOf(name) !== SET_COOKIE) throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
      return valuesIn(this.#text, SET_COOKIE);
    }
    has(name) { return this.#text.includes(keyOf(name)); }
    delete(name) { this.#text = without(this.#text, keyOf(name)); }
    forEach(callback, thisArg) {
      for (const [name, value] of pairsOf(this.#text)) callback.call(thisArg, value, name, this);
    }
    *entries() { yield* pairsOf(this.#text); }
    *keys() { for (const [name] of pairsOf(this.#text)) yield name; }
    *values() { for (const [, value] of pairsOf(this.#text)) yield value; }

    // `undefined` of what is no `Headers`.
    static { textOf = (headers) => (#text in headers ? headers.#text : undefined); }
  }
  const ownIterator = Headers.prototype.entries;
  Object.defineProperty(Headers.prototype, Symbol.iterator, { value: ownIterator, writable: true, configurable: true });

  native.tag(Headers);
  // The rest is for messages, which make a `Headers` only when a program asks for one.
  return { Headers, headersOfText: (text) => new Headers(ours, text), textOfHeaders: textOf, textOfInit, valueIn, without };
})
