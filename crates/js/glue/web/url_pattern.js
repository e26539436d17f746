// URLPattern: https://urlpattern.spec.whatwg.org/
(function (native) {
  'use strict';
  const COMPONENTS = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
  const MEMBERS = [...COMPONENTS, 'baseURL'];

  const given = (input) => {
    if (typeof input !== 'object' || input === null || input instanceof String) return [`${input}`];
    // A URL is its text.
    if (typeof input.href === 'string') return [input.href];
    return MEMBERS.map((name) => (input[name] === undefined ? undefined : `${input[name]}`));
  };

  class URLPattern {
    // By component: [pattern, regular expression, names of its groups].
    #components;
    #hasRegExpGroups;

    constructor(input = {}, base, options) {
      if (typeof base === 'object' && base !== null && options === undefined) [base, options] = [undefined, base];
      const ignoreCase = !!options?.ignoreCase;
      const parsed = native.parsePattern(given(input), base === undefined ? undefined : `${base}`, ignoreCase);
      this.#hasRegExpGroups = parsed[COMPONENTS.length];
      this.#components = parsed.slice(0, COMPONENTS.length).map(([pattern, expression, names]) => {
        try {
          return [pattern, new RegExp(expression, ignoreCase ? 'ui' : 'u'), names];
        } catch (error) {
          throw new TypeError(`Invalid URLPattern: ${pattern} has an invalid regular expression: ${error.message}`);
        }
      });
    }

    get hasRegExpGroups() { return this.#hasRegExpGroups; }

    test(input = {}, base) {
      const parts = native.partsOfInput(given(input), base === undefined ? undefined : `${base}`);
      return parts !== undefined && this.#components.every(([, expression], i) => expression.test(parts[i]));
    }

    exec(input = {}, base) {
      const parts = native.partsOfInput(given(input), base === undefined ? undefined : `${base}`);
      if (parts === undefined) return null;
      const result = { inputs: base === undefined ? [input] : [input, `${base}`] };
      for (let i = 0; i < COMPONENTS.length; i++) {
        const [, expression, names] = this.#components[i];
        const match = expression.exec(parts[i]);
        if (match === null) return null;
        result[COMPONENTS[i]] = { input: parts[i], groups: Object.fromEntries(names.map((name, at) => [name, match[at + 1]])) };
      }
      return result;
    }

    static {
      for (const [i, name] of COMPONENTS.entries()) {
        Object.defineProperty(this.prototype, name, { get() { return this.#components[i][0]; }, enumerable: true, configurable: true });
      }
    }
  }

  native.tag(URLPattern);
  return { URLPattern };
})
