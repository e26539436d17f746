// Values that structured clone carries, and how two servers compare them. Both engines run this file, so what it
// makes from a seed is the same on both, and `canonical` is how they tell whether what they read is what was written.

/// A text that two values share exactly if they are equal: kinds, contents, order, holes, cycles and shared references.
export function canonical(value) {
  const seen = new Map();
  const visit = (value) => {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    if (typeof value !== "object" || value === null) return String(value);
    if (seen.has(value)) return `#${seen.get(value)}`;
    seen.set(value, seen.size);
    const properties = (keys) => keys.map((key) => `${JSON.stringify(key)}:${visit(value[key])}`).join();
    switch (Object.prototype.toString.call(value).slice(8, -1)) {
      case "Date": return `Date(${value.getTime()})`;
      case "RegExp": return `RegExp(${value.source} ${value.flags})`;
      case "Boolean": case "Number": case "String": case "BigInt": return `Object(${visit(value.valueOf())})`;
      case "Map": return `Map{${[...value].map(([key, item]) => `${visit(key)}=>${visit(item)}`).join()}}`;
      case "Set": return `Set{${[...value].map(visit).join()}}`;
      case "ArrayBuffer": return `ArrayBuffer(${value.resizable ? value.maxByteLength : "fixed"})[${contents(new Uint8Array(value))}]`;
      case "Error": return `${value.name} of ${kindOf(value)}(${visit(value.message)}){${Object.hasOwn(value, "cause") ? visit(value.cause) : ""}}`;
      case "Array": return `[${value.length}: ${properties(Object.keys(value))}]`;
      case "Object": return `{${properties(Object.keys(value))}}`;
      default: return `${value.constructor.name}(${value.byteOffset},${value.byteLength} of ${visit(value.buffer)})`;
    }
  };
  return visit(value);
}

function contents(bytes) {
  if (bytes.length <= 1024) return bytes.join();
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return `${bytes.length} bytes of sum ${sum}`;
}

const kindOf = (error) => ERRORS.find((kind) => error instanceof kind)?.name ?? "Error";

const ERRORS = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

const VIEWS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView];

const NUMBERS = [0, -0, 1, -1, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), -(2 ** 30) - 1, 2 ** 31, 2 ** 32, 2 ** 53, 0.1, -1.5, 5e-324, 1.7976931348623157e308, NaN, Infinity, -Infinity];

const TEXTS = ["", "a", "plain", "\0", "line\nend", "é", "ÿ", "Ā", "日本語", "🏔", "a🏔b", "\ud800", "\udc00x", "é and 語", "x".repeat(300), "é".repeat(200), "語".repeat(200)];

const KEYS = ["a", "b", "key", "0", "1", "7", "2147483647", "4294967294", "-1", "1.5", "", "é", "語", "🏔", "__proto__", "constructor", "toString", "length", "x".repeat(100)];

const PATTERNS = [/a/, /a+b/gi, /(?<year>\d{4})/u, /^\/x$/m, /./s, /[\p{L}&&[a-z]]/v, /é|語/y, /x/d, new RegExp("")];

/// One value of each kind, by name.
export function samples() {
  const shared = { in: "two places" };
  const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]).buffer;
  const cycle = { name: "cycle", list: [] };
  cycle.self = cycle;
  cycle.list.push(cycle, cycle.list);
  const map = new Map([["a", 1], [{ key: "object" }, [1, 2]], [NaN, "nan"], [0, "zero"]]);
  map.set("self", map);
  const sparse = [1, , 3, , , 6];
  sparse.length = 9;
  const named = Object.assign([1, 2], { extra: "property" });
  return {
    undefined: undefined, null: null, true: true, false: false,
    numbers: NUMBERS, texts: TEXTS,
    bigints: [0n, 1n, -1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 64n), 2n ** 200n + 1n],
    dates: [new Date(0), new Date(-1), new Date(8.64e15), new Date(NaN)],
    patterns: PATTERNS,
    boxed: [Object(true), Object(false), Object(-0), Object("text"), Object(10n)],
    map, set: new Set([1, "1", { a: 1 }, NaN]),
    cycle, shared: [shared, shared, { shared }],
    sparse, named, nested: [[[[]]], {}, [{}], [undefined, null]],
    buffer, views: VIEWS.map((View) => new View(buffer, 8, View === DataView ? 3 : 1)),
    empty: [new ArrayBuffer(0), new Uint8Array(0), new Map(), new Set(), {}, []],
    errors: [new Error("plain"), new Error(), new Error("with a cause", { cause: { code: 7 } }), ...ERRORS.map((Kind) => new Kind("é 語 🏔"))],
    large: { text: "0123456789".repeat(20_000), bytes: new Uint8Array(200_000).fill(7) },
    many: Array.from({ length: 1000 }, (_, i) => ({ i, half: i / 2, text: `row ${i}` })),
  };
}

/// The value of a seed: a graph of a few to some hundreds of nodes.
export function graph(seed) {
  const next = random(seed);
  const below = (limit) => Math.floor(next() * limit);
  const pick = (list) => list[below(list.length)];
  let nodes = [];
  const buffers = [];
  const remember = (node) => { nodes.push(node); return node; };
  let left = 20 + below(200);

  const text = () => (below(4) === 0 ? pick(TEXTS) + pick(TEXTS) : pick(TEXTS));
  const number = () => (below(2) === 0 ? pick(NUMBERS) : pick([below(1000) - 500, next() * 2 ** 40, -next(), below(2 ** 31), -below(2 ** 31)]));
  const bigint = () => (below(2) === 0 ? 1n : -1n) * BigInt(below(2 ** 30)) ** BigInt(below(8));
  const bytes = () => {
    if (buffers.length > 0 && below(2) === 0) return pick(buffers);
    const length = 8 * below(6);
    const buffer = below(8) === 0 ? new ArrayBuffer(length, { maxByteLength: length + 8 * below(3) }) : new ArrayBuffer(length);
    const view = new Uint8Array(buffer);
    for (let i = 0; i < length; i++) view[i] = below(256);
    buffers.push(buffer);
    return buffer;
  };
  const view = () => {
    const buffer = bytes();
    const View = pick(VIEWS);
    const width = View.BYTES_PER_ELEMENT ?? 1;
    const fits = Math.floor(buffer.byteLength / width);
    const from = below(fits + 1);
    // A view without a length follows a buffer that grows; with one it does not.
    return below(4) === 0 ? new View(buffer, from * width) : new View(buffer, from * width, below(fits - from + 1));
  };
  const list = (depth) => {
    const node = remember([]);
    const length = below(8);
    for (let i = 0; i < length; i++) node[i] = value(depth + 1);
    return node;
  };
  const sparse = (depth) => {
    const node = remember([]);
    for (let i = below(5); i > 0; i--) node[below(60)] = value(depth + 1);
    node.length += below(20);
    if (below(3) === 0) node[pick(["extra", "é", "-1"])] = value(depth + 1);
    return node;
  };
  const object = (depth) => {
    const node = remember({});
    for (let i = below(8); i > 0; i--) {
      Object.defineProperty(node, pick(KEYS), { value: value(depth + 1), enumerable: true, configurable: true, writable: true });
    }
    return node;
  };
  const map = (depth) => {
    const node = remember(new Map());
    for (let i = below(6); i > 0; i--) node.set(value(depth + 1), value(depth + 1));
    return node;
  };
  const set = (depth) => {
    const node = remember(new Set());
    for (let i = below(6); i > 0; i--) node.add(value(depth + 1));
    return node;
  };
  const error = (depth) => {
    const Kind = pick([Error, ...ERRORS]);
    const message = below(5) === 0 ? undefined : text();
    if (below(3) > 0) return remember(new Kind(message));
    // A cause knows nothing of what is around it: workerd writes an error that leads to itself, but cannot read it.
    const around = nodes;
    nodes = [];
    const cause = value(depth + 1);
    nodes = around;
    return remember(new Kind(message, { cause }));
  };
  const leaf = () => pick([
    number, number, number, text, text, text, bigint,
    () => undefined, () => null, () => true, () => false,
    () => remember(new Date(pick([0, -1, 8.64e15, NaN, below(2 ** 31) * 1000]))),
    () => remember(pick(PATTERNS)),
    () => remember(Object(pick([true, false, number(), text(), bigint()]))),
    bytes, view, view,
  ])();
  const value = (depth) => {
    left -= 1;
    if (nodes.length > 0 && below(8) === 0) return pick(nodes);
    if (left <= 0 || depth > 12) return leaf();
    return pick([leaf, leaf, leaf, list, list, sparse, object, object, object, map, set, error])(depth);
  };
  return pick([list, object, map, sparse])(0);
}

// mulberry32: integers only, so every engine makes the same numbers of a seed.
function random(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
