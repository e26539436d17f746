// util.inspect and util.format: https://nodejs.org/api/util.html#utilinspectobject-options
// Follows Node's layout: an entry a line, unless they fit together on one; numbers in columns.
(function (native) {
  'use strict';
  const { classOf, promiseState, proxyTarget } = native;
  const custom = Symbol.for('nodejs.util.inspect.custom');
  const DEFAULTS = {
    showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
    maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
  };
  const KEY = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
  const COLORS = {
    reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27],
    hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24], black: [30, 39], red: [31, 39], green: [32, 39],
    yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], gray: [90, 39], grey: [90, 39],
    redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39],
    cyanBright: [96, 39], whiteBright: [97, 39], bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49],
    bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49],
  };
  const STYLES = {
    special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
    string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
  };

  const painted = (text, style) => {
    const color = inspect.colors[inspect.styles[style]];
    return color ? `\x1B[${color[0]}m${text}\x1B[${color[1]}m` : text;
  };
  const plain = (text) => text;

  const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
  const quoted = (text) => {
    const quote = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'";
    const escaped = text.replace(/[\x00-\x1F\x7F-\x9F\\]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, (char) =>
      ESCAPES[char] ?? (char < '\u0100' ? `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
        : `\\u${char.charCodeAt(0).toString(16).toUpperCase()}`));
    return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
  };

  const separated = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, '_');
  const number = (value, ctx) => {
    if (Object.is(value, -0)) return '-0';
    const text = `${value}`;
    if (!ctx.numericSeparator || !Number.isFinite(value) || text.includes('e')) return text;
    const [whole, fraction] = text.split('.');
    const sign = whole.startsWith('-') ? '-' : '';
    return sign + separated(whole.slice(sign.length)) + (fraction ? `.${fraction.replace(/(\d{3})(?=\d)/g, '$1_')}` : '');
  };

  const primitive = (value, ctx) => {
    switch (typeof value) {
      case 'string': {
        let rest = '';
        if (value.length > ctx.maxStringLength) {
          const more = value.length - ctx.maxStringLength;
          value = value.slice(0, ctx.maxStringLength);
          rest = `... ${more} more character${more > 1 ? 's' : ''}`;
        }
        // A long text with line breaks is shown as lines.
        if (ctx.compact !== true && value.length > 16 && value.length > ctx.breakLength - ctx.indentation - 4) {
          const lines = value.split(/(?<=\n)/).map((line) => ctx.stylize(quoted(line), 'string'));
          return lines.join(` +\n${' '.repeat(ctx.indentation + 2)}`) + rest;
        }
        return ctx.stylize(quoted(value), 'string') + rest;
      }
      case 'number': return ctx.stylize(number(value, ctx), 'number');
      case 'bigint': return ctx.stylize(`${ctx.numericSeparator ? separated(`${value}`) : value}n`, 'bigint');
      case 'boolean': return ctx.stylize(`${value}`, 'boolean');
      case 'undefined': return ctx.stylize('undefined', 'undefined');
      case 'symbol': return ctx.stylize(symbolText(value), 'symbol');
      default: return ctx.stylize('null', 'null');
    }
  };
  const symbolText = (symbol) => Symbol.prototype.toString.call(symbol);

  // The name of the class that an object is of, and how far up it was found.
  const constructorName = (object) => {
    for (let at = object; at !== null; at = Object.getPrototypeOf(at)) {
      const found = Object.getOwnPropertyDescriptor(at, 'constructor');
      if (found && typeof found.value === 'function' && found.value.name !== '' && isInstance(object, found.value)) return `${found.value.name}`;
    }
    return null;
  };
  const isInstance = (object, constructor) => {
    try {
      return Function.prototype[Symbol.hasInstance].call(constructor, object);
    } catch {
      return false;
    }
  };

  const prefixed = (name, tag, fallback, size = '') => {
    let text = name === null ? `[${fallback}${size}: null prototype] ` : `${name}${size} `;
    if (tag !== '' && tag !== name && !(name === null && tag === fallback)) text += `[${tag}] `;
    return text;
  };

  const keysOf = (value, ctx, isList) => {
    let keys;
    if (ctx.showHidden) keys = Object.getOwnPropertyNames(value);
    else {
      try {
        keys = Object.keys(value);
      } catch {
        keys = Object.getOwnPropertyNames(value);
      }
    }
    if (isList) keys = keys.filter((key) => !/^(0|[1-9][0-9]{0,9})$/.test(key) && !(ctx.showHidden && key === 'length'));
    const symbols = Object.getOwnPropertySymbols(value)
      .filter((symbol) => ctx.showHidden || Object.prototype.propertyIsEnumerable.call(value, symbol));
    return [...keys, ...symbols];
  };

  const formatValue = (ctx, value, depth, typed = false) => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return primitive(value, ctx);
    const original = value;
    if (classOf(value) === 'Proxy') {
      const target = proxyTarget(value);
      if (target === undefined) return ctx.stylize('<Revoked Proxy>', 'special');
      if (ctx.showProxy) return `Proxy [ ${formatValue(ctx, target, depth)} ]`;
      value = target;
      if (classOf(value) === 'Proxy') return formatValue(ctx, value, depth, typed);
    }
    if (ctx.customInspect) {
      const own = value[custom];
      if (typeof own === 'function' && own !== inspect) {
        const left = ctx.depth === null ? null : ctx.depth - depth;
        const shown = own.call(original, left, { ...ctx.user, depth: left, stylize: ctx.stylize, ...ctx.options }, inspect);
        if (shown !== original) {
          if (typeof shown !== 'object') return `${shown}`.replaceAll('\n', `\n${' '.repeat(ctx.indentation)}`);
          return formatValue(ctx, shown, depth);
        }
      }
    }
    if (ctx.seen.includes(value)) {
      ctx.circular ??= new Map();
      if (!ctx.circular.has(value)) ctx.circular.set(value, ctx.circular.size + 1);
      return ctx.stylize(`[Circular *${ctx.circular.get(value)}]`, 'special');
    }
    return formatObject(ctx, value, depth, typed);
  };

  const formatObject = (ctx, value, depth, typed) => {
    const name = constructorName(value);
    let tag = '';
    try {
      tag = value[Symbol.toStringTag];
    } catch { /* a getter that throws has no say */ }
    const own = ctx.showHidden ? Object.hasOwn : (object, key) => Object.prototype.propertyIsEnumerable.call(object, key);
    if (typeof tag !== 'string' || tag === '' || tag === name || own(value, Symbol.toStringTag)) tag = '';

    const kind = classOf(value);
    let keys = [];
    let entries = () => [];
    let base = '';
    let braces = ['{', '}'];
    let isList = false;
    if (Array.isArray(value)) {
      keys = keysOf(value, ctx, true);
      const prefix = name !== 'Array' || tag !== '' ? prefixed(name, tag, 'Array', `(${value.length})`) : '';
      braces = [`${prefix}[`, ']'];
      if (value.length === 0 && keys.length === 0) return `${braces[0]}]`;
      isList = true;
      entries = formatArray;
    } else if (kind === 'Set') {
      const size = SET_SIZE.call(value);
      keys = keysOf(value, ctx);
      braces[0] = `${prefixed(name, tag, 'Set', `(${size})`)}{`;
      if (size === 0 && keys.length === 0) return `${braces[0]}}`;
      entries = formatSet;
    } else if (kind === 'Map') {
      const size = MAP_SIZE.call(value);
      keys = keysOf(value, ctx);
      braces[0] = `${prefixed(name, tag, 'Map', `(${size})`)}{`;
      if (size === 0 && keys.length === 0) return `${braces[0]}}`;
      entries = formatMap;
    } else if (ArrayBuffer.isView(value) && kind !== 'DataView') {
      keys = keysOf(value, ctx, true);
      const size = value.length;
      braces = [`${prefixed(name, tag === kind ? '' : tag, kind, `(${size})`)}[`, ']'];
      if (size === 0 && keys.length === 0) return `${braces[0]}]`;
      isList = true;
      entries = formatTyped;
    } else if (kind === 'Map Iterator' || kind === 'Set Iterator') {
      keys = keysOf(value, ctx);
      braces[0] = `[${tag || kind}] {`;
      entries = () => [ctx.stylize('<items unknown>', 'special')];
    } else {
      keys = keysOf(value, ctx);
      if (kind === 'Arguments') {
        braces[0] = '[Arguments] {';
        if (keys.length === 0) return '[Arguments] {}';
      } else if (typeof value === 'function') {
        base = functionText(value, name, tag);
        if (keys.length === 0) return ctx.stylize(base, 'special');
      } else if (kind === 'RegExp') {
        base = RegExp.prototype.toString.call(value);
        const prefix = prefixed(name, tag, 'RegExp');
        if (prefix !== 'RegExp ') base = prefix + base;
        if (keys.length === 0) return ctx.stylize(base, 'regexp');
      } else if (kind === 'Date') {
        const time = Date.prototype.getTime.call(value);
        base = Number.isNaN(time) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
        const prefix = prefixed(name, tag, 'Date');
        if (prefix !== 'Date ') base = prefix + base;
        if (keys.length === 0) return ctx.stylize(base, 'date');
      } else if (kind === 'Error' || value instanceof Error) {
        base = errorText(value, name, keys, ctx);
        if (!keys.includes('cause') && Object.hasOwn(value, 'cause')) keys.push('cause');
        if (Array.isArray(value.errors) && !keys.includes('errors') && Object.hasOwn(value, 'errors')) keys.push('errors');
        if (keys.length === 0) return base;
      } else if (kind === 'ArrayBuffer' || kind === 'SharedArrayBuffer') {
        const prefix = prefixed(name, tag, kind);
        braces[0] = `${prefix}{`;
        if (!typed) entries = formatBuffer;
        else if (keys.length === 0) return `${prefix}{ byteLength: ${primitive(value.byteLength, ctx)} }`;
        keys.unshift('byteLength');
      } else if (kind === 'DataView') {
        braces[0] = `${prefixed(name, tag, 'DataView')}{`;
        keys.unshift('byteLength', 'byteOffset', 'buffer');
      } else if (kind === 'Promise') {
        braces[0] = `${prefixed(name, tag, 'Promise')}{`;
        entries = formatPromise;
      } else if (kind === 'WeakSet' || kind === 'WeakMap') {
        braces[0] = `${prefixed(name, tag, kind)}{`;
        entries = () => [ctx.stylize('<items unknown>', 'special')];
      } else if (kind === 'WeakRef') {
        braces[0] = `${prefixed(name, tag, 'WeakRef')}{`;
        entries = (ctx, value, depth) => [formatValue(ctx, value.deref(), depth)];
      } else if (isModule(value)) {
        braces[0] = '[Module: null prototype] {';
      } else if (['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].includes(kind)) {
        const inner = value.valueOf();
        if (kind === 'String') keys = keys.filter((key) => !/^\d+$/.test(String(key)) && (key !== 'length' || !ctx.showHidden));
        const prefix = name === kind ? kind : `${kind} (${name ?? 'null prototype'})`;
        base = `[${prefix}: ${primitive(inner, { ...ctx, stylize: plain })}]`;
        if (keys.length === 0) return ctx.stylize(base, kind.toLowerCase());
      } else if (kind === 'Generator' || kind === 'AsyncGenerator') {
        braces[0] = `${prefixed(name, tag || kind, kind)}{`;
        if (keys.length === 0) return `${braces[0]}}`;
      } else {
        if (name === 'Object' && tag === '') braces[0] = '{';
        else braces[0] = `${prefixed(name, tag, 'Object')}{`;
        if (keys.length === 0) return `${braces[0]}}`;
      }
    }

    if (ctx.depth !== null && depth > ctx.depth) {
      const label = prefixed(name, tag, Array.isArray(value) ? 'Array' : 'Object').slice(0, -1);
      return ctx.stylize(name === null ? label : `[${label}]`, 'special');
    }
    ctx.seen.push(value);
    ctx.currentDepth = depth;
    let output;
    try {
      output = entries(ctx, value, depth + 1);
      for (const key of keys) output.push(formatProperty(ctx, value, depth + 1, key, isList));
    } finally {
      ctx.seen.pop();
    }
    const reference = ctx.circular?.get(value);
    if (reference !== undefined) {
      const mark = ctx.stylize(`<ref *${reference}>`, 'special');
      if (ctx.compact !== true) base = base === '' ? mark : `${mark} ${base}`;
      else braces[0] = `${mark} ${braces[0]}`;
    }
    if (ctx.sorted && !isList) output.sort(ctx.sorted === true ? undefined : ctx.sorted);
    return joined(ctx, output, base, braces, isList, depth, value);
  };

  const isModule = (value) => native.use('util/types').isModuleNamespaceObject(value);
  const MAP_SIZE = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get;
  const SET_SIZE = Object.getOwnPropertyDescriptor(Set.prototype, 'size').get;

  const functionText = (value, name, tag) => {
    const source = Function.prototype.toString.call(value);
    if (source.startsWith('class') && source.endsWith('}')) {
      let text = `[class ${Object.hasOwn(value, 'name') && value.name !== '' ? value.name : '(anonymous)'}`;
      if (name !== 'Function' && name !== null) text += ` [${name}]`;
      if (name !== null) {
        const parent = Object.getPrototypeOf(value).name;
        if (parent) text += ` extends ${parent}`;
      } else text += ' extends [null prototype]';
      return `${text}]`;
    }
    const kind = { GeneratorFunction: 'GeneratorFunction', AsyncFunction: 'AsyncFunction', AsyncGeneratorFunction: 'AsyncGeneratorFunction' }[classOf(value)] ?? 'Function';
    let text = `[${kind}`;
    if (name === null) text += ' (null prototype)';
    text += value.name === '' || value.name === undefined ? ' (anonymous)' : `: ${value.name}`;
    text += ']';
    if (name !== kind && name !== null && name !== 'Function') text += ` ${name}`;
    if (tag !== '' && name !== tag && tag !== kind) text += ` [${tag}]`;
    return text;
  };

  const errorText = (error, name, keys, ctx) => {
    const head = (() => {
      try {
        const own = error.name !== undefined && error.name !== null ? `${error.name}` : 'Error';
        const shown = name !== null && own === 'Error' && name !== 'Error' ? `${name}` : own;
        const message = `${error.message ?? ''}`;
        return message === '' ? shown : `${shown}: ${message}`;
      } catch {
        return '[object Error]';
      }
    })();
    for (const key of ['name', 'message', 'stack']) {
      const at = keys.indexOf(key);
      if (at >= 0 && (key === 'stack' || head.includes(String(error[key])))) keys.splice(at, 1);
    }
    const code = typeof error.code === 'string' && /^ERR_/.test(error.code) && !head.includes(`[${error.code}]`) ? error.code : undefined;
    const titled = code ? head.replace(/^[^:]*/, (first) => `${first} [${code}]`) : head;
    const stack = typeof error.stack === 'string' ? error.stack.trimEnd() : '';
    // The engine's stacks are the frames alone; one that a program has set may begin with the message.
    let text;
    if (stack === '') text = `[${titled}]`;
    else if (/^\s*at /.test(stack)) text = `${titled}\n${stack}`;
    else text = stack;
    return ctx.indentation > 0 ? text.replaceAll('\n', `\n${' '.repeat(ctx.indentation)}`) : text;
  };

  const formatPromise = (ctx, value, depth) => {
    const [state, result] = promiseState(value);
    if (state === 'pending') return [ctx.stylize('<pending>', 'special')];
    ctx.indentation += 2;
    const text = formatValue(ctx, result, depth);
    ctx.indentation -= 2;
    return [state === 'rejected' ? `${ctx.stylize('<rejected>', 'special')} ${text}` : text];
  };

  const remaining = (count) => `... ${count} more item${count > 1 ? 's' : ''}`;
  const limit = (ctx, length) => Math.min(Math.max(0, ctx.maxArrayLength), length);

  const formatArray = (ctx, value, depth) => {
    const output = [];
    const most = limit(ctx, value.length);
    let at = 0;
    for (; at < value.length && output.length < most; at++) {
      if (Object.hasOwn(value, at)) {
        output.push(formatProperty(ctx, value, depth, String(at), true));
        continue;
      }
      let end = at;
      if (value.length - at > 1e5) {
        // A list that is nearly all holes: the next index, if any, is among the keys.
        end = Object.keys(value).find((key) => Number(key) >= at && /^\d+$/.test(key));
        end = end === undefined ? value.length : Number(end);
      } else while (end < value.length && !Object.hasOwn(value, end)) end++;
      const holes = end - at;
      output.push(ctx.stylize(`<${holes} empty item${holes > 1 ? 's' : ''}>`, 'undefined'));
      at = end - 1;
    }
    if (at < value.length) {
      output.push(remaining(value.length - at));
      output.more = true;
    }
    return output;
  };
  const formatTyped = (ctx, value, depth) => {
    const most = limit(ctx, value.length);
    const output = Array.from({ length: most }, (_, at) => primitive(value[at], ctx));
    if (value.length > most) {
      output.push(remaining(value.length - most));
      output.more = true;
    }
    if (ctx.showHidden) {
      for (const key of ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer']) {
        output.push(`[${key}]: ${formatValue(ctx, value[key], depth, true)}`);
      }
    }
    return output;
  };
  const formatBuffer = (ctx, value) => {
    let bytes;
    try {
      bytes = new Uint8Array(value);
    } catch {
      return [ctx.stylize('(detached)', 'special')];
    }
    const most = limit(ctx, bytes.length);
    let shown = Array.from(bytes.subarray(0, most), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    if (bytes.length > most) shown += ` ... ${bytes.length - most} more byte${bytes.length - most > 1 ? 's' : ''}`;
    return [`${ctx.stylize('[Uint8Contents]', 'special')}: <${shown}>`];
  };
  const formatSet = (ctx, value, depth) => {
    const output = [];
    const most = limit(ctx, SET_SIZE.call(value));
    ctx.indentation += 2;
    let at = 0;
    for (const item of Set.prototype.values.call(value)) {
      if (at++ >= most) break;
      output.push(formatValue(ctx, item, depth));
    }
    if (SET_SIZE.call(value) > most) output.push(remaining(SET_SIZE.call(value) - most));
    ctx.indentation -= 2;
    return output;
  };
  const formatMap = (ctx, value, depth) => {
    const output = [];
    const most = limit(ctx, MAP_SIZE.call(value));
    ctx.indentation += 2;
    let at = 0;
    for (const [key, item] of Map.prototype.entries.call(value)) {
      if (at++ >= most) break;
      output.push(`${formatValue(ctx, key, depth)} => ${formatValue(ctx, item, depth)}`);
    }
    if (MAP_SIZE.call(value) > most) output.push(remaining(MAP_SIZE.call(value) - most));
    ctx.indentation -= 2;
    return output;
  };

  const formatProperty = (ctx, owner, depth, key, isElement) => {
    const found = Object.getOwnPropertyDescriptor(owner, key) ?? { value: owner[key], enumerable: true };
    let text;
    const element = isElement && typeof key === 'string' && /^\d+$/.test(key);
    if (found.value !== undefined) {
      const wider = ctx.compact !== true || !isElement ? 2 : 3;
      ctx.indentation += wider;
      text = formatValue(ctx, found.value, depth);
      ctx.indentation -= wider;
    } else if (found.get !== undefined) {
      const label = found.set !== undefined ? 'Getter/Setter' : 'Getter';
      if (ctx.getters && (ctx.getters === true || (ctx.getters === 'get' && !found.set) || (ctx.getters === 'set' && found.set))) {
        try {
          const got = found.get.call(owner);
          ctx.indentation += 2;
          text = `${ctx.stylize(`[${label}:`, 'special')} ${formatValue(ctx, got, depth)}${ctx.stylize(']', 'special')}`;
          ctx.indentation -= 2;
        } catch (error) {
          text = ctx.stylize(`[${label}: <Inspection threw (${error?.message})>]`, 'special');
        }
      } else text = ctx.stylize(`[${label}]`, 'special');
    } else if (found.set !== undefined) text = ctx.stylize('[Setter]', 'special');
    else text = ctx.stylize('undefined', 'undefined');
    if (element) return text;
    let name;
    if (typeof key === 'symbol') name = ctx.stylize(symbolText(key), 'symbol');
    else if (key === '__proto__') name = "['__proto__']";
    else if (found.enumerable === false) return `[${key}]: ${text}`;
    else if (KEY.test(key)) name = ctx.stylize(key, 'name');
    else name = ctx.stylize(quoted(key), 'string');
    if (typeof key === 'symbol') name = `[${name}]`;
    return `${name}: ${text}`;
  };

  const width = (text) => stripVTControlCharacters(text).length;

  // Six and more short entries stand in columns.
  const grouped = (ctx, output, value) => {
    let total = 0;
    let longest = 0;
    const count = output.more ? output.length - 1 : output.length;
    const widths = [];
    for (let at = 0; at < count; at++) {
      const length = ctx.colors ? width(output[at]) : output[at].length;
      widths.push(length);
      total += length + 2;
      longest = Math.max(longest, length);
    }
    const actual = longest + 2;
    if (actual * 3 + ctx.indentation >= ctx.breakLength || !(total / actual > 5 || longest <= 6)) return output;
    const bias = Math.sqrt(actual - total / output.length);
    const biased = Math.max(actual - 3 - bias, 1);
    const columns = Math.min(
      Math.round(Math.sqrt(2.5 * biased * count) / biased),
      Math.floor((ctx.breakLength - ctx.indentation) / actual),
      ctx.compact * 4,
      15,
    );
    if (columns <= 1) return output;
    const wide = [];
    for (let column = 0; column < columns; column++) {
      let most = 0;
      for (let at = column; at < widths.length; at += columns) most = Math.max(most, widths[at]);
      wide.push(most + 2);
    }
    const numbers = value !== undefined && Array.from({ length: count }, (_, at) => value[at]).every((item) => typeof item === 'number' || typeof item === 'bigint');
    const lines = [];
    for (let from = 0; from < count; from += columns) {
      const to = Math.min(from + columns, count);
      let line = '';
      let at = from;
      for (; at < to - 1; at++) {
        const cell = `${output[at]}, `;
        const room = wide[at - from] + cell.length - widths[at] - 2;
        line += numbers ? cell.padStart(room) : cell.padEnd(room);
      }
      line += numbers ? output[at].padStart(wide[at - from] + output[at].length - widths[at] - 2) : output[at];
      lines.push(line);
    }
    if (output.more) lines.push(output[count]);
    return lines;
  };

  const joined = (ctx, output, base, braces, isList, depth, value) => {
    if (ctx.compact !== true) {
      if (typeof ctx.compact === 'number' && ctx.compact >= 1) {
        const entries = output.length;
        if (isList && entries > 6) output = grouped(ctx, output, value);
        if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
          const start = output.length + ctx.indentation + braces[0].length + base.length + 10;
          const total = output.reduce((sum, entry) => sum + (ctx.colors ? width(entry) : entry.length), output.length + start);
          if (total <= ctx.breakLength && !output.some((entry) => entry.includes('\n')) && !base.includes('\n')) {
            return `${base ? `${base} ` : ''}${braces[0]} ${output.join(', ')} ${braces[1]}`;
          }
        }
      }
      const indent = `\n${' '.repeat(ctx.indentation)}`;
      return `${base ? `${base} ` : ''}${braces[0]}${indent}  ${output.join(`,${indent}  `)}${indent}${braces[1]}`;
    }
    const text = output.join(', ');
    return `${base ? `${base} ` : ''}${braces[0]} ${text} ${braces[1]}`;
  };

  function inspect(value, options, ...legacy) {
    const ctx = { ...inspect.defaultOptions, seen: [], indentation: 0, currentDepth: 0, circular: undefined, stylize: plain, user: undefined, options: {} };
    if (typeof options === 'boolean' || legacy.length > 0) {
      // The old form: showHidden, depth, colors.
      if (options !== undefined && typeof options !== 'object') ctx.showHidden = options;
      if (legacy[0] !== undefined) ctx.depth = legacy[0];
      if (legacy[1] !== undefined) ctx.colors = legacy[1];
    } else if (typeof options === 'object' && options !== null) {
      ctx.user = options;
      for (const key of Object.keys(options)) {
        if (Object.hasOwn(DEFAULTS, key) || key === 'stylize') ctx[key] = options[key];
      }
    }
    if (ctx.colors) ctx.stylize = painted;
    for (const key of Object.keys(DEFAULTS)) ctx.options[key] = ctx[key];
    if (ctx.depth === Infinity) ctx.depth = null;
    if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
    if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
    return formatValue(ctx, value, 0);
  }
  inspect.custom = custom;
  inspect.defaultOptions = { ...DEFAULTS };
  inspect.colors = Object.assign(Object.create(null), COLORS);
  inspect.styles = Object.assign(Object.create(null), STYLES);

  const formatWithOptions = (options, ...args) => {
    let at = 0;
    let text = '';
    if (typeof args[0] === 'string') {
      if (args.length === 1) return args[0];
      let next = 1;
      text = args[0].replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === '%%') return '%';
        if (next >= args.length) return mark;
        const value = args[next++];
        switch (mark) {
          case '%s':
            if (typeof value === 'bigint') return `${value}n`;
            if (Object.is(value, -0)) return '-0';
            if (typeof value === 'object' && value !== null && !hasOwnText(value)) return inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
            return String(value);
          case '%d':
            if (typeof value === 'bigint') return `${value}n`;
            if (typeof value === 'symbol') return 'NaN';
            return number(Number(value), options ?? {});
          case '%i':
            if (typeof value === 'bigint') return `${value}n`;
            return typeof value === 'symbol' ? 'NaN' : number(Number.parseInt(value), options ?? {});
          case '%f': return typeof value === 'symbol' ? 'NaN' : number(Number.parseFloat(value), options ?? {});
          case '%j':
            try {
              return String(JSON.stringify(value));
            } catch (error) {
              if (/circular/i.test(error.message)) return '[Circular]';
              throw error;
            }
          case '%o': return inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 });
          case '%O': return inspect(value, options);
          default: return '';
        }
      });
      at = next;
    }
    let gap = at > 0 ? ' ' : '';
    for (; at < args.length; at++) {
      text += gap + (typeof args[at] === 'string' ? args[at] : inspect(args[at], { compact: 3, colors: false, depth: 2, ...options }));
      gap = ' ';
    }
    return text;
  };
  // Whether `%s` takes the value's own text: it, or a class that is not the engine's, has a toString.
  const hasOwnText = (value) => {
    if (value instanceof Error) return false;
    const found = value.toString;
    return typeof found === 'function' && found !== Object.prototype.toString && found !== Array.prototype.toString
      && !(value instanceof Date && found === Date.prototype.toString);
  };
  const format = (...args) => formatWithOptions(undefined, ...args);

  const ANSI = /[\u001B\u009B][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?(?:\u0007|\u001B\u005C|\u009C))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g;
  const stripVTControlCharacters = (text) => text.replace(ANSI, '');

  return { inspect, format, formatWithOptions, stripVTControlCharacters };
})
