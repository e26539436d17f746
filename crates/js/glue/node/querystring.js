// querystring: https://nodejs.org/api/querystring.html
(function (native) {
  'use strict';
  const escape = (value) => {
    if (typeof value !== 'string') value = typeof value === 'object' ? String(value) : `${value}`;
    return encodeURIComponent(value);
  };
  // Bytes of a text whose escapes may not be UTF-8.
  const unescapeBuffer = (text) => {
    const { Buffer } = native.use('buffer');
    const bytes = [];
    const source = Buffer.from(text);
    for (let at = 0; at < source.length; at++) {
      const digits = source[at] === 0x25 ? source.toString('latin1', at + 1, at + 3) : '';
      if (/^[0-9a-fA-F]{2}$/.test(digits)) {
        bytes.push(Number.parseInt(digits, 16));
        at += 2;
      } else bytes.push(source[at]);
    }
    return Buffer.from(bytes);
  };
  const unescape = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return unescapeBuffer(text).toString();
    }
  };

  const primitive = (value) => {
    switch (typeof value) {
      case 'string': return value;
      case 'number': return Number.isFinite(value) ? `${value}` : '';
      case 'bigint': case 'boolean': return `${value}`;
      default: return '';
    }
  };
  const stringify = (object, separator = '&', equals = '=', options) => {
    const encode = options?.encodeURIComponent ?? querystring.escape;
    if (object === null || typeof object !== 'object') return '';
    const pairs = [];
    for (const [key, value] of Object.entries(object)) {
      const name = encode(primitive(key)) + (equals || '=');
      for (const one of Array.isArray(value) ? value : [value]) pairs.push(name + encode(primitive(one)));
    }
    return pairs.join(separator || '&');
  };
  const parse = (text, separator = '&', equals = '=', options) => {
    const result = { __proto__: null };
    if (typeof text !== 'string' || text.length === 0) return result;
    const decode = options?.decodeURIComponent ?? querystring.unescape;
    const safe = (part) => {
      part = part.replaceAll('+', ' ');
      try {
        return part.includes('%') || decode !== unescape ? decode(part) : part;
      } catch {
        return unescape(part);
      }
    };
    const most = typeof options?.maxKeys === 'number' ? options.maxKeys : 1000;
    let parts = text.split(`${separator || '&'}`);
    if (most > 0) parts = parts.slice(0, most);
    const mark = `${equals || '='}`;
    for (const part of parts) {
      if (part === '') continue;
      const at = part.indexOf(mark);
      const key = safe(at < 0 ? part : part.slice(0, at));
      const value = at < 0 ? '' : safe(part.slice(at + mark.length));
      if (!Object.hasOwn(result, key)) result[key] = value;
      else if (Array.isArray(result[key])) result[key].push(value);
      else result[key] = [result[key], value];
    }
    return result;
  };
  const querystring = { escape, unescape, unescapeBuffer, stringify, encode: stringify, parse, decode: parse };
  return querystring;
})
