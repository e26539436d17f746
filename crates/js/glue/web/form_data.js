// FormData, and its two forms in a body: https://xhr.spec.whatwg.org/#interface-formdata
(function (native) {
  'use strict';
  const { Blob, File, URLSearchParams } = native;
  const BOUNDARY = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i;

  const valueOf = (value, filename, hasName) => {
    if (!(value instanceof Blob)) {
      if (hasName) throw new TypeError("Failed to execute on 'FormData': a file name was given for a value that is not a Blob.");
      return `${value}`.toWellFormed();
    }
    if (value instanceof File && !hasName) return value;
    return new File([value], hasName ? `${filename}` : 'blob', { type: value.type });
  };

  class FormData {
    #entries = [];

    constructor(form) {
      if (form !== undefined) throw new TypeError("Failed to construct 'FormData': there are no forms here.");
    }

    append(name, value, filename) {
      this.#entries.push([`${name}`.toWellFormed(), valueOf(value, filename, arguments.length > 2)]);
    }
    set(name, value, filename) {
      name = `${name}`.toWellFormed();
      const entry = [name, valueOf(value, filename, arguments.length > 2)];
      const at = this.#entries.findIndex(([own]) => own === name);
      if (at < 0) {
        this.#entries.push(entry);
        return;
      }
      this.#entries[at] = entry;
      this.#entries = this.#entries.filter(([own], i) => i <= at || own !== name);
    }
    get(name) { return this.#entries.find(([own]) => own === `${name}`)?.[1] ?? null; }
    getAll(name) { return this.#entries.filter(([own]) => own === `${name}`).map(([, value]) => value); }
    has(name) { return this.#entries.some(([own]) => own === `${name}`); }
    delete(name) { this.#entries = this.#entries.filter(([own]) => own !== `${name}`); }
    forEach(callback, thisArg) { for (const [name, value] of this) callback.call(thisArg, value, name, this); }
    *entries() { for (const [name, value] of this.#entries) yield [name, value]; }
    *keys() { for (const [name] of this.#entries) yield name; }
    *values() { for (const [, value] of this.#entries) yield value; }
  }
  Object.defineProperty(FormData.prototype, Symbol.iterator, {
    value: FormData.prototype.entries, writable: true, configurable: true,
  });

  const escape = (name) => name.replace(/\r\n|\r|\n/g, '%0D%0A').replaceAll('"', '%22');

  // [blob, content type] of a form as multipart/form-data.
  const encodeForm = (form) => {
    const boundary = `----DolmenFormBoundary${native.randomUUID().replaceAll('-', '')}`;
    const parts = [];
    for (const [name, value] of form) {
      parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`);
      if (typeof value === 'string') {
        parts.push(`\r\n\r\n${value.replace(/\r\n|\r|\n/g, '\r\n')}\r\n`);
      } else {
        parts.push(`; filename="${escape(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`, value, '\r\n');
      }
    }
    parts.push(`--${boundary}--\r\n`);
    return [new Blob(parts), `multipart/form-data; boundary=${boundary}`];
  };

  const parseMultipart = (boundary, bytes) => {
    const broken = () => new TypeError('The body is not well-formed multipart/form-data.');
    // One character a byte, so places in the text are places in the bytes.
    const text = native.latin1(bytes);
    const utf8 = (from, to) => native.decodeUtf8(bytes.subarray(from, to));
    const form = new FormData();
    const mark = `--${boundary}`;
    let at = text.indexOf(mark);
    if (at < 0) throw broken();
    for (;;) {
      at += mark.length;
      if (text.startsWith('--', at)) return form;
      at = text.indexOf('\r\n', at);
      if (at < 0) throw broken();
      const head = at + 2;
      const headEnd = text.indexOf('\r\n\r\n', at);
      const end = text.indexOf(`\r\n${mark}`, headEnd + 2);
      if (headEnd < 0 || end < 0) throw broken();
      const lines = utf8(head, headEnd).split('\r\n');
      const field = (own) => lines.find((line) => line.toLowerCase().startsWith(`${own}:`))?.slice(own.length + 1).trim();
      const disposition = field('content-disposition') ?? '';
      const parameter = (own) => disposition.match(new RegExp(`;\\s*${own}="((?:[^"\\\\]|\\\\.)*)"`, 'i'))?.[1]
        .replaceAll('%22', '"').replaceAll('%0D%0A', '\r\n');
      const name = parameter('name');
      if (name === undefined) throw broken();
      const filename = parameter('filename');
      const start = Math.min(headEnd + 4, end);
      if (filename === undefined) form.append(name, utf8(start, end));
      else form.append(name, new File([bytes.slice(start, end)], filename, { type: field('content-type') ?? 'text/plain' }));
      at = end + 2;
    }
  };

  // The form in a body of this content type, or null if it holds none.
  const parseForm = (type, bytes) => {
    const essence = type.split(';')[0].trim().toLowerCase();
    if (essence === 'multipart/form-data') {
      const match = BOUNDARY.exec(type);
      if (!match) throw new TypeError('The content type names no boundary.');
      return parseMultipart(match[1] ?? match[2], bytes);
    }
    if (essence !== 'application/x-www-form-urlencoded') return null;
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(native.decodeUtf8(bytes))) form.append(name, value);
    return form;
  };

  native.tag(FormData);
  return { FormData, encodeForm, parseForm };
})
