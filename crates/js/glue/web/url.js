// URL and URLSearchParams: https://url.spec.whatwg.org/
// An address is its text and the places of its parts in it; parsing and changing are done in Rust.
(function (native) {
  'use strict';
  // Where the parts start and end, as `native.parseUrl` gives them after the text.
  const [SCHEME_END, USERNAME_END, HOST_START, HOST_END, PORT, PATH_START, QUERY_START, FRAGMENT_START] = [1, 2, 3, 4, 5, 6, 7, 8];
  const WITH_ORIGIN = ['http:', 'https:', 'ws:', 'wss:', 'ftp:'];
  let attach;
  let setQuery;

  class URL {
    #parts;
    #params = null;

    constructor(url, base) {
      if (arguments.length === 0) throw new TypeError("Failed to construct 'URL': 1 argument required, but only 0 present.");
      const parts = native.parseUrl(`${url}`, base === undefined ? undefined : `${base}`);
      if (parts === undefined) throw new TypeError(`Invalid URL: ${url}`);
      this.#parts = parts;
    }

    static canParse(url, base) {
      return native.parseUrl(`${url}`, base === undefined ? undefined : `${base}`) !== undefined;
    }
    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }

    #slice(from, to) { return this.#parts[0].slice(from, to); }
    #hasAuthority() { return this.#parts[0].startsWith('://', this.#parts[SCHEME_END]); }
    #change(part, value) {
      const parts = native.changeUrl(this.#parts[0], part, `${value}`);
      if (parts === undefined) return;
      this.#parts = parts;
      if (part === 'href' || part === 'search') this.#readParams();
    }
    #readParams() { if (this.#params !== null) attach(this.#params, this, this.search); }

    get href() { return this.#parts[0]; }
    set href(value) {
      if (!URL.canParse(value)) throw new TypeError(`Invalid URL: ${value}`);
      this.#change('href', value);
    }
    get origin() {
      const { protocol } = this;
      if (WITH_ORIGIN.includes(protocol)) return `${protocol}//${this.host}`;
      if (protocol === 'blob:') {
        const inner = URL.parse(this.pathname);
        if (inner?.protocol === 'http:' || inner?.protocol === 'https:') return inner.origin;
      }
      return 'null';
    }
    get protocol() { return this.#slice(0, this.#parts[SCHEME_END] + 1); }
    set protocol(value) { this.#change('protocol', value); }
    get username() {
      const start = this.#parts[SCHEME_END] + 3;
      return this.#hasAuthority() && this.#parts[USERNAME_END] > start ? this.#slice(start, this.#parts[USERNAME_END]) : '';
    }
    set username(value) { this.#change('username', value); }
    get password() {
      const end = this.#parts[USERNAME_END];
      return this.#hasAuthority() && end < this.#parts[HOST_START] && this.#parts[0][end] === ':'
        ? this.#slice(end + 1, this.#parts[HOST_START] - 1) : '';
    }
    set password(value) { this.#change('password', value); }
    get host() { return this.port === '' ? this.hostname : `${this.hostname}:${this.port}`; }
    set host(value) { this.#change('host', value); }
    get hostname() { return this.#slice(this.#parts[HOST_START], this.#parts[HOST_END]); }
    set hostname(value) { this.#change('hostname', value); }
    get port() { return this.#parts[PORT] < 0 ? '' : `${this.#parts[PORT]}`; }
    set port(value) { this.#change('port', value); }
    get pathname() { return this.#slice(this.#parts[PATH_START], this.#parts[QUERY_START]); }
    set pathname(value) { this.#change('pathname', value); }
    get search() {
      const text = this.#slice(this.#parts[QUERY_START], this.#parts[FRAGMENT_START]);
      return text === '?' ? '' : text;
    }
    set search(value) { this.#change('search', value); }
    get hash() {
      const text = this.#slice(this.#parts[FRAGMENT_START]);
      return text === '#' ? '' : text;
    }
    set hash(value) { this.#change('hash', value); }
    get searchParams() {
      if (this.#params === null) {
        this.#params = new URLSearchParams();
        this.#readParams();
      }
      return this.#params;
    }
    toString() { return this.href; }
    toJSON() { return this.href; }

    static {
      setQuery = (url, query) => {
        url.#parts = native.changeUrl(url.#parts[0], 'search', query) ?? url.#parts;
      };
    }
  }

  class URLSearchParams {
    // [name, value] pairs.
    #list = [];
    #url = null;

    constructor(init = '') {
      if (typeof init === 'object' && init !== null || typeof init === 'function') {
        if (typeof init[Symbol.iterator] === 'function') {
          for (const pair of init) {
            const entry = typeof pair === 'object' && pair !== null ? [...pair] : [];
            if (entry.length !== 2) throw new TypeError("Failed to construct 'URLSearchParams': each entry must be a pair of a name and a value.");
            this.#list.push([text(entry[0]), text(entry[1])]);
          }
        } else {
          for (const name of Object.keys(init)) this.#list.push([text(name), text(init[name])]);
        }
      } else {
        this.#list = parse(`${init}`);
      }
    }

    #changed() { if (this.#url !== null) setQuery(this.#url, this.toString()); }

    get size() { return this.#list.length; }
    append(name, value) {
      required(2, arguments.length, 'append');
      this.#list.push([text(name), text(value)]);
      this.#changed();
    }
    delete(name, value) {
      required(1, arguments.length, 'delete');
      name = text(name);
      value = value === undefined ? undefined : text(value);
      this.#list = this.#list.filter((pair) => pair[0] !== name || (value !== undefined && pair[1] !== value));
      this.#changed();
    }
    get(name) {
      required(1, arguments.length, 'get');
      name = text(name);
      return this.#list.find((pair) => pair[0] === name)?.[1] ?? null;
    }
    getAll(name) {
      required(1, arguments.length, 'getAll');
      name = text(name);
      return this.#list.filter((pair) => pair[0] === name).map((pair) => pair[1]);
    }
    has(name, value) {
      required(1, arguments.length, 'has');
      name = text(name);
      value = value === undefined ? undefined : text(value);
      return this.#list.some((pair) => pair[0] === name && (value === undefined || pair[1] === value));
    }
    set(name, value) {
      required(2, arguments.length, 'set');
      [name, value] = [text(name), text(value)];
      const at = this.#list.findIndex((pair) => pair[0] === name);
      if (at < 0) {
        this.#list.push([name, value]);
      } else {
        this.#list[at] = [name, value];
        this.#list = this.#list.filter((pair, i) => i <= at || pair[0] !== name);
      }
      this.#changed();
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed();
    }
    forEach(callback, thisArg) { for (const [name, value] of this) callback.call(thisArg, value, name, this); }
    *entries() { for (let i = 0; i < this.#list.length; i++) yield [...this.#list[i]]; }
    *keys() { for (const [name] of this) yield name; }
    *values() { for (const [, value] of this) yield value; }
    toString() { return native.formatQuery(this.#list.flat()); }

    static {
      attach = (params, url, query) => {
        params.#url = url;
        params.#list = parse(query);
      };
    }
  }
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: URLSearchParams.prototype.entries, writable: true, configurable: true,
  });

  const text = (value) => `${value}`.toWellFormed();
  const required = (count, given, method) => {
    if (given < count) throw new TypeError(`Failed to execute '${method}' on 'URLSearchParams': ${count} arguments required, but only ${given} present.`);
  };
  const parse = (query) => {
    const flat = native.parseQuery(query.startsWith('?') ? query.slice(1) : query);
    const list = [];
    for (let i = 0; i < flat.length; i += 2) list.push([flat[i], flat[i + 1]]);
    return list;
  };

  for (const constructor of [URL, URLSearchParams]) native.tag(constructor);
  return { URL, URLSearchParams };
})
