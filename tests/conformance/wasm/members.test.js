// Memories, tables, globals and references.
import worker, { assert, test } from "../harness.js";
import growing from "./growing.wasm";
import linking from "./linking.wasm";
import references from "./references.wasm";
import numbers from "./numbers.wasm";

export default worker;

const PAGE = 65536;
const referencesWith = (call = (value) => value) => new WebAssembly.Instance(references, { host: { call } }).exports;

test("a memory and its buffer are the same bytes", () => {
  const { memory, load } = new WebAssembly.Instance(growing).exports;
  assert.ok(memory instanceof WebAssembly.Memory);
  const { buffer } = memory;
  assert.ok(buffer instanceof ArrayBuffer);
  assert.equal(memory.buffer, buffer);
  assert.equal(buffer.byteLength, PAGE);
  assert.equal(new TextDecoder().decode(new Uint8Array(buffer, 0, 5)), "hello");
  new Uint8Array(buffer)[1] = 200;
  assert.equal(load(1), 200);
});

test("a memory that grows detaches its buffer", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 3 });
  const before = memory.buffer;
  const view = new Uint8Array(before);
  view[5] = 9;
  assert.equal(memory.grow(1), 1);
  assert.equal(before.byteLength, 0);
  assert.equal(before.detached, true);
  assert.equal(view.length, 0);
  assert.equal(view[5], undefined);
  assert.notEqual(memory.buffer, before);
  assert.equal(memory.buffer.byteLength, 2 * PAGE);
  assert.equal(new Uint8Array(memory.buffer)[5], 9);
  const same = memory.buffer;
  assert.equal(memory.grow(0), 2);
  assert.equal(same.byteLength, 0, "also when nothing is added");
  assert.throws(() => memory.grow(2), { class: "RangeError" });
  assert.throws(() => memory.grow(), { class: "TypeError" });
  for (const wrong of [-1, 2 ** 32, NaN, Infinity, "x", {}]) assert.throws(() => memory.grow(wrong), { class: "TypeError" }, String(wrong));
  assert.equal(memory.grow("1"), 2);
});

test("growth from inside detaches, too, and an import sees it", () => {
  const { memory, grow, size } = new WebAssembly.Instance(growing).exports;
  const before = memory.buffer;
  assert.equal(grow(1), 1);
  assert.equal(before.byteLength, 0);
  assert.equal(memory.buffer.byteLength, 2 * PAGE);
  assert.equal(grow(100), -1);
  assert.equal(size(), 2);
  const own = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  let seen;
  const old = own.buffer;
  const host = {
    log() { seen = [old.byteLength, own.buffer.byteLength]; return 1; }, pair: () => [1, 1n], memory: own, constant: 1n,
    table: new WebAssembly.Table({ element: "anyfunc", initial: 2 }), counter: new WebAssembly.Global({ value: "i32", mutable: true }),
  };
  new WebAssembly.Instance(linking, { host }).exports.growAndCall(1);
  assert.deepEqual(seen, [0, 2 * PAGE]);
});

test("a buffer of a memory belongs to the memory", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  assert.throws(() => memory.buffer.transfer(), { class: "TypeError" });
  assert.throws(() => memory.buffer.transfer(10), { class: "TypeError" });
  assert.throws(() => structuredClone(memory.buffer, { transfer: [memory.buffer] }));
  assert.equal(memory.buffer.byteLength, PAGE);
  assert.equal(structuredClone(memory.buffer).byteLength, PAGE);
  assert.equal(memory.buffer.slice(0, 8).byteLength, 8);
});

test("descriptors of memories", () => {
  assert.equal(new WebAssembly.Memory({ initial: 0 }).buffer.byteLength, 0);
  assert.equal(new WebAssembly.Memory({ initial: "1" }).buffer.byteLength, PAGE);
  for (const wrong of [undefined, null, 1, {}, { initial: -1 }, { initial: 2 ** 32 }, { initial: NaN }, { initial: 0, maximum: 2 ** 40 }]) {
    assert.throws(() => new WebAssembly.Memory(wrong), { class: "TypeError" }, JSON.stringify(wrong));
  }
  assert.throws(() => new WebAssembly.Memory({ initial: 2, maximum: 1 }), { class: "RangeError" });
  assert.throws(() => new WebAssembly.Memory({ initial: 65537 }), { class: "RangeError" });
  assert.throws(() => WebAssembly.Memory({ initial: 1 }), { class: "TypeError" });
  const { get } = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, "buffer");
  for (const wrong of [{}, undefined, WebAssembly.Memory.prototype]) assert.throws(() => get.call(wrong), { class: "TypeError" });
  assert.equal(Object.prototype.toString.call(new WebAssembly.Memory({ initial: 0 })), "[object WebAssembly.Memory]");
});

test("tables of functions", () => {
  const { functions, one, callIt, callTwice } = referencesWith();
  assert.equal(functions.length, 4);
  assert.equal(functions.get(0), one);
  assert.equal(functions.get(1), functions.get(1), "one function, one object");
  assert.notEqual(functions.get(1), one);
  assert.equal(functions.get(1)(), 2);
  assert.equal(functions.get(3), null);
  functions.set(3, one);
  assert.equal(functions.get(3), one);
  assert.equal(callIt(3), 1);
  functions.set(0, functions.get(1));
  assert.equal(callIt(0), 2);
  functions.set(3, null);
  assert.throws(() => callIt(3), { name: "RuntimeError" });
  functions.set(0);
  assert.equal(functions.get(0), null);
  assert.equal(functions.grow(2, one), 4);
  assert.equal(functions.length, 6);
  assert.equal(functions.get(5), one);
  assert.equal(functions.grow(1), 6);
  assert.equal(functions.get(6), null);
  assert.throws(() => functions.grow(2), { class: "RangeError" });
  assert.throws(() => functions.set(1, () => 1), { class: "TypeError" });
  assert.throws(() => functions.set(1, 5), { class: "TypeError" });
  assert.throws(() => functions.get(7), { class: "RangeError" });
  assert.throws(() => functions.set(7, one), { class: "RangeError" });
  assert.throws(() => functions.get(-1), { class: "TypeError" });
  assert.equal(typeof callTwice, "function");
});

test("functions are the same, whichever module they pass through", () => {
  const { one, same, functions, sameFunction } = referencesWith();
  assert.equal(sameFunction(one), one);
  assert.equal(referencesWith(same).functions.get(2), same, "as an import, in a table");
  const { add } = new WebAssembly.Instance(numbers).exports;
  assert.equal(sameFunction(add), add);
  functions.set(0, add);
  assert.equal(functions.get(0), add);
  assert.equal(sameFunction(null), null);
  assert.throws(() => sameFunction(undefined), { class: "TypeError" });
  assert.throws(() => sameFunction(() => 1), { class: "TypeError" });
});

test("tables of JavaScript's values", () => {
  const table = new WebAssembly.Table({ element: "externref", initial: 2 }, "first");
  assert.equal(table.get(0), "first");
  assert.equal(table.get(1), "first");
  const object = {};
  table.set(0, object);
  assert.equal(table.get(0), object);
  for (const value of [null, undefined, 0, -0, NaN, 5n, "text", Symbol.iterator, true, () => 1]) {
    table.set(1, value);
    assert.equal(table.get(1), value);
  }
  assert.equal(table.grow(1, object), 2);
  assert.equal(table.get(2), object);
  assert.equal(new WebAssembly.Table({ element: "externref", initial: 1 }).get(0), undefined);
});

test("descriptors of tables", () => {
  for (const wrong of [undefined, null, 1, {}, { initial: 1 }, { element: "anyfunc" }, { element: "i32", initial: 1 }, { element: "anyfunc", initial: -1 }, { element: "anyfunc", initial: 2 ** 32 }]) {
    assert.throws(() => new WebAssembly.Table(wrong), { class: "TypeError" }, JSON.stringify(wrong));
  }
  assert.throws(() => new WebAssembly.Table({ element: "anyfunc", initial: 2, maximum: 1 }), { class: "RangeError" });
  assert.throws(() => new WebAssembly.Table({ element: "anyfunc", initial: 1 }, () => 1), { class: "TypeError" });
  assert.equal(Object.prototype.toString.call(new WebAssembly.Table({ element: "anyfunc", initial: 0 })), "[object WebAssembly.Table]");
  const { get } = Object.getOwnPropertyDescriptor(WebAssembly.Table.prototype, "length");
  assert.throws(() => get.call({}), { class: "TypeError" });
});

test("globals", () => {
  const global = new WebAssembly.Global({ value: "i32", mutable: true }, 3.7);
  assert.equal(global.value, 3);
  assert.equal(global.valueOf(), 3);
  assert.equal(global + 1, 4);
  global.value = "12";
  assert.equal(global.value, 12);
  assert.throws(() => { global.value = 1n; }, { class: "TypeError" });
  const big = new WebAssembly.Global({ value: "i64", mutable: true }, 5n);
  assert.equal(big.value, 5n);
  assert.throws(() => { big.value = 5; }, { class: "TypeError" });
  const constant = new WebAssembly.Global({ value: "f32" }, 0.1);
  assert.equal(constant.value, Math.fround(0.1));
  assert.throws(() => { "use strict"; constant.value = 1; }, { class: "TypeError" });
  assert.equal(new WebAssembly.Global({ value: "f64" }).value, 0);
  assert.equal(new WebAssembly.Global({ value: "i64" }).value, 0n);
  assert.equal(new WebAssembly.Global({ value: "externref" }, "text").value, "text");
  assert.equal(new WebAssembly.Global({ value: "anyfunc" }, null).value, null);
  for (const wrong of [undefined, null, {}, { value: "i31" }, { value: "" }]) {
    assert.throws(() => new WebAssembly.Global(wrong), { class: "TypeError" }, JSON.stringify(wrong));
  }
  assert.throws(() => new WebAssembly.Global({ value: "i64" }, 5), { class: "TypeError" });
  assert.equal(Object.prototype.toString.call(global), "[object WebAssembly.Global]");
});

test("exported globals are theirs", () => {
  const { value, function: held, one } = referencesWith();
  assert.equal(value.value, null);
  const object = { a: 1 };
  value.value = object;
  assert.equal(value.value, object);
  held.value = one;
  assert.equal(held.value, one);
  assert.throws(() => { held.value = () => 1; }, { class: "TypeError" });
});

test("JavaScript's values pass through as they are", () => {
  const { same, isNull, callTwice, keep, kept } = referencesWith((value) => value);
  const object = { self: null };
  for (const value of [object, null, undefined, 0, -0, NaN, 1.5, 5n, "text", "", Symbol.iterator, true, () => 1, [1]]) {
    assert.equal(same(value), value);
    assert.equal(callTwice(value), value);
    keep(1, value);
    assert.equal(kept(1), value);
  }
  assert.equal(isNull(null), 1);
  assert.equal(isNull(undefined), 0);
  assert.equal(same(), undefined);
});

test("many values, of which few are kept", () => {
  const { same, keep, kept, values } = referencesWith();
  const last = { name: "kept" };
  keep(0, last);
  for (let i = 0; i < 5000; i++) assert.ok(same({ i }).i === i);
  assert.equal(kept(0), last);
  assert.equal(values.get(0), last);
});

test("a value that WebAssembly has on its stack alone is kept while the host runs", () => {
  const used = [];
  const exports = referencesWith(() => {
    for (let i = 0; i < 2000; i++) used.push(exports.same({ i }));
    return null;
  });
  const object = { held: true };
  for (let round = 0; round < 3; round++) {
    exports.keep(2, object);
    assert.equal(exports.heldAcross(2), object);
    for (let i = 0; i < 1000; i++) exports.same({ i });
  }
});
