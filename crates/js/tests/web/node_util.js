const util = node('util');
// Node 20's own output.
const SHOWN = [
  [() => (1), "1"],
  [() => (-0), "-0"],
  [() => ('a'), "'a'"],
  [() => ("it's"), "\"it's\""],
  [() => ('a\n\x01"\''), "`a\\n\\x01\"'`"],
  [() => (10n), "10n"],
  [() => (null), "null"],
  [() => (undefined), "undefined"],
  [() => (Symbol('x')), "Symbol(x)"],
  [() => (true), "true"],
  [() => ([]), "[]"],
  [() => ({}), "{}"],
  [() => ([1,2,3]), "[ 1, 2, 3 ]"],
  [() => ([1,,3,,,4]), "[ 1, <1 empty item>, 3, <2 empty items>, 4 ]"],
  [() => (Array(5)), "[ <5 empty items> ]"],
  [() => (Array.from({length:30},(_, i)=>i)), "[\n   0,  1,  2,  3,  4,  5,  6,  7,  8,\n   9, 10, 11, 12, 13, 14, 15, 16, 17,\n  18, 19, 20, 21, 22, 23, 24, 25, 26,\n  27, 28, 29\n]"],
  [() => (Array.from({length:120},(_, i)=>i*3)), "[\n    0,   3,   6,   9,  12,  15,  18,  21,  24,  27,  30,  33,\n   36,  39,  42,  45,  48,  51,  54,  57,  60,  63,  66,  69,\n   72,  75,  78,  81,  84,  87,  90,  93,  96,  99, 102, 105,\n  108, 111, 114, 117, 120, 123, 126, 129, 132, 135, 138, 141,\n  144, 147, 150, 153, 156, 159, 162, 165, 168, 171, 174, 177,\n  180, 183, 186, 189, 192, 195, 198, 201, 204, 207, 210, 213,\n  216, 219, 222, 225, 228, 231, 234, 237, 240, 243, 246, 249,\n  252, 255, 258, 261, 264, 267, 270, 273, 276, 279, 282, 285,\n  288, 291, 294, 297,\n  ... 20 more items\n]"],
  [() => (Array.from({length:8},(_, i)=>'item number '+i)), "[\n  'item number 0',\n  'item number 1',\n  'item number 2',\n  'item number 3',\n  'item number 4',\n  'item number 5',\n  'item number 6',\n  'item number 7'\n]"],
  [() => ({a:1,b:'x',c:[1,{d:{e:{f:1}}}]}), "{ a: 1, b: 'x', c: [ 1, { d: [Object] } ] }"],
  [() => ({'a-b':1, 2:3, [Symbol('s')]:4, __proto__:null}), "[Object: null prototype] { '2': 3, 'a-b': 1, [Symbol(s)]: 4 }"],
  [() => (Object.assign(Object.create(null),{x:1})), "[Object: null prototype] { x: 1 }"],
  [() => (new (class Foo { constructor(){this.a=1} })), "Foo { a: 1 }"],
  [() => (new (class Foo extends Map { constructor(){super([[1,2]]);this.a=1} })), "Foo(1) [Map] { 1 => 2, a: 1 }"],
  [() => (new Map([['a',{b:1}],[{x:1},2]])), "Map(2) { 'a' => { b: 1 }, { x: 1 } => 2 }"],
  [() => (new Set([1,'a',{b:2}])), "Set(3) { 1, 'a', { b: 2 } }"],
  [() => (new Map()), "Map(0) {}"],
  [() => (new Set()), "Set(0) {}"],
  [() => (new Date(0)), "1970-01-01T00:00:00.000Z"],
  [() => (new Date(NaN)), "Invalid Date"],
  [() => (/ab+/gi), "/ab+/gi"],
  [() => (function foo(){}), "[Function: foo]"],
  [() => (()=>{}), "[Function (anonymous)]"],
  [() => (class A {}), "[class A]"],
  [() => ((class extends Array {})), "[class (anonymous) extends Array]"],
  [() => (async function bar(){}), "[AsyncFunction: bar]"],
  [() => (function* gen(){}), "[GeneratorFunction: gen]"],
  [() => (Object.assign(function foo(){}, {a:1})), "[Function: foo] { a: 1 }"],
  [() => (new Uint8Array(3)), "Uint8Array(3) [ 0, 0, 0 ]"],
  [() => (new Float64Array([1.5,2])), "Float64Array(2) [ 1.5, 2 ]"],
  [() => (new ArrayBuffer(4)), "ArrayBuffer { [Uint8Contents]: <00 00 00 00>, byteLength: 4 }"],
  [() => (new DataView(new ArrayBuffer(2))), "DataView {\n  byteLength: 2,\n  byteOffset: 0,\n  buffer: ArrayBuffer { [Uint8Contents]: <00 00>, byteLength: 2 }\n}"],
  [() => (Promise.resolve(4)), "Promise { 4 }"],
  [() => (new Promise(()=>{})), "Promise { <pending> }"],
  [() => (new WeakMap()), "WeakMap { <items unknown> }"],
  [() => (new WeakSet()), "WeakSet { <items unknown> }"],
  [() => (Object(1)), "[Number: 1]"],
  [() => (Object('ab')), "[String: 'ab']"],
  [() => (Object(true)), "[Boolean: true]"],
  [() => (Object(Symbol('q'))), "[Symbol: Symbol(q)]"],
  [() => (Object(1n)), "[BigInt: 1n]"],
  [() => ({get a(){return 1}, set a(v){}, get b(){return 2}, set c(v){}}), "{ a: [Getter/Setter], b: [Getter], c: [Setter] }"],
  [() => ((()=>{const o={a:1};o.self=o;return o})()), "<ref *1> { a: 1, self: [Circular *1] }"],
  [() => ((()=>{const o={a:{}};o.a.b=o;o.c=[o];return o})()), "<ref *1> { a: { b: [Circular *1] }, c: [ [Circular *1] ] }"],
  [() => ((function(){return arguments})(1,2)), "[Arguments] { '0': 1, '1': 2 }"],
  [() => ((function*(){})()), "Object [Generator] {}"],
  [() => (new Proxy({a:1},{})), "{ a: 1 }"],
  [() => ([[[[[]]]]]), "[ [ [ [Array] ] ] ]"],
  [() => ([[[[[1]]]]]), "[ [ [ [Array] ] ] ]"],
  [() => ({a:{b:{c:{}}}}), "{ a: { b: { c: {} } } }"],
  [() => ({a:{b:{c:{d:1}}}}), "{ a: { b: { c: [Object] } } }"],
  [() => ({a:'a'.repeat(50),b:'b'.repeat(50),c:'c'.repeat(50)}), "{\n  a: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',\n  b: 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',\n  c: 'cccccccccccccccccccccccccccccccccccccccccccccccccc'\n}"],
  [() => ({a:undefined,b:null,c:NaN}), "{ a: undefined, b: null, c: NaN }"],
  [() => ([undefined,null]), "[ undefined, null ]"],
  [() => (['a'.repeat(100),'b'.repeat(100)]), "[\n  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',\n  'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'\n]"],
  [() => ([new Map([[{a:1},new Set([1])]])]), "[ Map(1) { { a: 1 } => Set(1) { 1 } } ]"],
  [() => ({f(){}, g:()=>1, h:class X{}}), "{ f: [Function: f], g: [Function: g], h: [class X] }"],
  [() => ([1.5,-2,1000000,1e21]), "[ 1.5, -2, 1000000, 1e+21 ]"],
  [() => ('a'.repeat(200)+'\n'+'b'.repeat(20)), "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\\n' +\n  'bbbbbbbbbbbbbbbbbbbb'"],
  [() => ([['a','b'],['c','d']]), "[ [ 'a', 'b' ], [ 'c', 'd' ] ]"],
  [() => (Object.create({inherited:1})), "{}"],
  [() => (Object.create(class Foo{}.prototype)), "Foo {}"],
  [() => (new (class extends Array{})(3)), "[ <3 empty items> ]"],
  [() => ([function(){}, class {}]), "[ [Function (anonymous)], [class (anonymous)] ]"],
  [() => (new Map([['k'.repeat(80), 'v'.repeat(80)]])), "Map(1) {\n  'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk' => 'vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv'\n}"],
  [() => ({a:1n, s:Symbol.iterator}), "{ a: 1n, s: Symbol(Symbol.iterator) }"],
  [() => ([['x', 1, {y: [1,2,3,{z:1}]}]]), "[ [ 'x', 1, { y: [Array] } ] ]"],
  [() => ({[Symbol.toStringTag]:'Tag', a:1}), "{ a: 1, [Symbol(Symbol.toStringTag)]: 'Tag' }"],
  [() => (Array.from({length:7},(_, i)=>({id:i}))), "[\n  { id: 0 },\n  { id: 1 },\n  { id: 2 },\n  { id: 3 },\n  { id: 4 },\n  { id: 5 },\n  { id: 6 }\n]"],
  [() => (Array.from({length:101},()=>'ab')), "[\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab', 'ab',\n  ... 1 more item\n]"],
  [() => ({"key with space":1,"é":2,"_ok1":3}), "{ 'key with space': 1, '\u00e9': 2, _ok1: 3 }"],
  [() => (new Set([[1,2],[3]])), "Set(2) { [ 1, 2 ], [ 3 ] }"],
  [() => ([1,2,3].values()), "Object [Array Iterator] {}"],
  [() => (globalThis.Math), "Object [Math] {}"],
  [() => (JSON), "Object [JSON] {}"],
  [() => (Reflect), "Object [Reflect] {}"],
];

test('inspect shows values as Node does', () => {
  const wrong = [];
  for (const [make, expected] of SHOWN) {
    const shown = util.inspect(make());
    if (shown !== expected) wrong.push(`${make}\n  expected ${expected}\n  got      ${shown}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});
test('inspect shows errors with their stack, cause and properties', () => {
  const { inspect } = util;
  const error = new TypeError('mine', { cause: new Error('why') });
  error.extra = 1;
  const shown = inspect(error);
  ok(shown.startsWith('TypeError: mine\n    at '), shown);
  ok(shown.includes('extra: 1') && shown.includes('[cause]: Error: why'), shown);
  class Mine extends Error {}
  ok(inspect(new Mine('x')).startsWith('Mine: x\n'), inspect(new Mine('x')));
  const bare = new Error('bare');
  bare.stack = undefined;
  ok(inspect(bare).startsWith('[Error: bare]'), inspect(bare));
  ok(inspect({ error: new Error('in') }).includes('Error: in'));
});
test('inspect: options and custom', () => {
  const { inspect } = util;
  equal(inspect({ a: { b: { c: {} } } }, { depth: 0 }), '{ a: [Object] }');
  equal(inspect({ a: { b: { c: { d: { e: 1 } } } } }, { depth: null }), '{\n  a: {\n    b: { c: { d: { e: 1 } } }\n  }\n}');
  equal(inspect([1, 2, 3], { maxArrayLength: 1 }), '[ 1, ... 2 more items ]');
  equal(inspect('abcdef', { maxStringLength: 2 }), "'ab'... 4 more characters");
  equal(inspect({ b: 1, a: 2 }, { sorted: true }), '{ a: 2, b: 1 }');
  equal(inspect({ a: 1, b: 'x' }, { colors: true }), "{ a: \x1B[33m1\x1B[39m, b: \x1B[32m'x'\x1B[39m }");
  equal(inspect({ a: 1, b: 2 }, { compact: false }), '{\n  a: 1,\n  b: 2\n}');
  equal(inspect({ a: [1] }, { breakLength: Infinity, compact: true }), '{ a: [ 1 ] }');
  equal(inspect(Object.defineProperty({}, 'x', { value: 1 }), { showHidden: true }), '{ [x]: 1 }');
  equal(inspect(123456.789, { numericSeparator: true }), '123_456.789');
  equal(inspect({ get a() { return 5 } }, { getters: true }), '{ a: [Getter: 5] }');
  equal(inspect(new Proxy({ a: 1 }, {}), { showProxy: true }), 'Proxy [ { a: 1 }]'.replace('}]', '} ]'));
  const thing = { [inspect.custom](depth, options, own) { return `<${depth} ${typeof options.stylize} ${own === inspect}>` } };
  equal(inspect({ thing }), '{ thing: <1 function true> }');
  equal(inspect({ [inspect.custom]() { return { x: 1 } } }), '{ x: 1 }');
});
test('format', () => {
  const { format } = util;
  equal(format('%s %d %i %f %j %% %x', 'a', 1.5, 2.9, '3.5', { a: 1 }, 'rest'), 'a 1.5 2 3.5 {"a":1} % %x rest');
  equal(format('%s', { a: { b: 1 } }), '{ a: [Object] }'.replace('[Object]', '[Object]'));
  equal(format('%s %s', 'only'), 'only %s');
  equal(format('a', 'b', 1, { c: 1 }), 'a b 1 { c: 1 }');
  equal(format(1, '2'), '1 2');
  equal(format('%O', { a: 1 }), '{ a: 1 }');
  equal(format('%s', 5n), '5n');
  equal(format('%c styled', 'css'), ' styled');
  equal(format('100%'), '100%');
  equal(format(), '');
  const circle = {};
  circle.self = circle;
  equal(format('%j', circle), '[Circular]');
});
test('promisify and callbackify', async () => {
  const { promisify, callbackify } = util;
  const later = (value, callback) => setTimeout(() => value === 'bad' ? callback(new Error('bad')) : callback(null, value), 1);
  equal(await promisify(later)('x'), 'x');
  await rejects(promisify(later)('bad'), 'Error', 'bad');
  const own = () => {};
  own[promisify.custom] = async () => 'custom';
  equal(await promisify(own)(), 'custom');
  throws(() => promisify(1), 'TypeError', 'The "original" argument must be of type function. Received type number (1)');
  const called = await new Promise((resolve) => callbackify(async (x) => x + 1)(1, (...args) => resolve(args)));
  equal(called, [null, 2]);
  const failed = await new Promise((resolve) => callbackify(() => Promise.reject(null))((error) => resolve(error.code)));
  equal(failed, 'ERR_FALSY_VALUE_REJECTION');
});
test('inherits, deprecate, debuglog, styleText, strip', () => {
  function Parent() {}
  Parent.prototype.hi = () => 'hi';
  function Child() {}
  util.inherits(Child, Parent);
  equal(new Child().hi(), 'hi');
  equal(Child.super_, Parent);
  throws(() => util.inherits(Child, undefined), 'TypeError', 'superCtor');
  const warnings = [];
  const before = globalThis.console;
  globalThis.console = { warn: (text) => warnings.push(text), error() {} };
  const old = util.deprecate((x) => x + 1, 'old is old', 'DEP1');
  equal([old(1), old(2)], [2, 3]);
  globalThis.console = before;
  equal(warnings.length, 1);
  ok(warnings[0].includes('[DEP1] DeprecationWarning: old is old'), warnings[0]);
  equal(util.debuglog('x').enabled, false);
  equal(util.styleText('red', 'x'), '\x1B[31mx\x1B[39m');
  equal(util.stripVTControlCharacters('\x1B[31mx\x1B[39m'), 'x');
  equal(util.toUSVString('a\uD800'), 'a\uFFFD');
  throws(() => util.parseArgs(), 'Error', 'node:util parseArgs is not implemented in Dolmen');
  ok(new util.TextEncoder() instanceof TextEncoder);
});
test('types', () => {
  const { types } = util;
  const args = (function () { return arguments })();
  const yes = {
    isDate: new Date(), isRegExp: /x/, isMap: new Map(), isSet: new Set(), isPromise: Promise.resolve(), isNativeError: new RangeError(),
    isUint8Array: new Uint8Array(), isTypedArray: new Float32Array(), isArrayBuffer: new ArrayBuffer(1), isAnyArrayBuffer: new ArrayBuffer(1),
    isArrayBufferView: new DataView(new ArrayBuffer(1)), isDataView: new DataView(new ArrayBuffer(1)), isAsyncFunction: async () => {},
    isGeneratorFunction: function* () {}, isGeneratorObject: (function* () {})(), isMapIterator: new Map().keys(), isSetIterator: new Set().values(),
    isWeakMap: new WeakMap(), isWeakSet: new WeakSet(), isProxy: new Proxy({}, {}), isBoxedPrimitive: Object(1), isNumberObject: Object(1),
    isStringObject: Object(''), isBooleanObject: Object(true), isSymbolObject: Object(Symbol()), isBigIntObject: Object(1n), isArgumentsObject: args,
  };
  for (const [name, value] of Object.entries(yes)) {
    equal(types[name](value), true, name);
    equal(types[name]({}), false, name);
    equal(types[name](null), false, name);
  }
  equal(types.isMap({ [Symbol.toStringTag]: 'Map' }), false);
  equal(types.isDate(Object.setPrototypeOf(new Date(), null)), true);
  equal(node('util/types') === types, true);
});
test('isDeepStrictEqual', () => {
  const { isDeepStrictEqual: same } = util;
  equal(same({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), true);
  equal(same([1, 2], [1, 3]), false);
  equal(same(NaN, NaN), true);
  equal(same(0, -0), false);
  equal(same(new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]])), true);
  equal(same(new Set([{ a: 1 }, 2]), new Set([2, { a: 1 }])), true);
  equal(same(new Set([1]), new Set([2])), false);
  equal(same(new Date(1), new Date(1)), true);
  equal(same(/a/g, /a/i), false);
  equal(same([1], { 0: 1, length: 1 }), false);
  equal(same({ a: undefined }, {}), false);
  equal(same(Object.create(null), {}), false);
  equal(same(new Uint8Array([1]), new Uint8Array([1])), true);
  equal(same(new Error('a'), new Error('b')), false);
  equal(same(Object(1), Object(1)), true);
  equal(same({ [Symbol.for('a')]: 1 }, { [Symbol.for('a')]: 2 }), false);
  const [a, b] = [{}, {}];
  a.self = a;
  b.self = b;
  equal(same(a, b), true);
});
