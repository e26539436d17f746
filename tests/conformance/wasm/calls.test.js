// Calls of WebAssembly: values on their way in and out, traps, exceptions, and calls that come back.
import { DurableObject } from "cloudflare:workers";
import worker, { assert, inside, runInside, test } from "../harness.js";
import numbers from "./numbers.wasm";
import callbacks from "./callbacks.wasm";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}
export default worker;

const all = () => new WebAssembly.Instance(numbers).exports;

test("an import of a .wasm file is a module", () => {
  assert.ok(numbers instanceof WebAssembly.Module);
  assert.equal(Object.prototype.toString.call(numbers), "[object WebAssembly.Module]");
});

test("numbers go in and come out", () => {
  const { add, add64, half32, half64, nothing, started, lanes } = all();
  assert.equal(add(2, 3), 5);
  assert.equal(add(0x7fffffff, 1), -0x80000000);
  assert.equal(add64(2n ** 63n - 1n, 1n), -(2n ** 63n));
  assert.equal(half32(3), 1.5);
  assert.equal(half64(3), 1.5);
  assert.equal(nothing(), undefined);
  assert.equal(started(), 7);
  assert.equal(lanes(5), 20);
});

test("arguments are converted as the standard says", () => {
  const { same32, sameF32, sameF64, add, add64 } = all();
  for (const [given, expected] of [["12", 12], [1.9, 1], [-1.9, -1], [2 ** 32 + 5, 5], [NaN, 0], [Infinity, 0], [true, 1], [null, 0], [undefined, 0], [[7], 7], [{}, 0], [{ valueOf: () => 9 }, 9]]) {
    assert.equal(same32(given), expected, String(given));
  }
  assert.equal(sameF32(0.1), Math.fround(0.1));
  assert.equal(sameF64(-0), -0);
  assert.equal(sameF64(undefined), NaN);
  assert.equal(sameF64("1e3"), 1000);
  assert.equal(add(1), 1, "what is missing is undefined");
  assert.equal(add(1, 2, 3), 3, "what is too much is ignored");
  assert.equal(add64(true, "3"), 4n);
  assert.equal(add64(2n ** 64n, 1n), 1n);
  assert.throws(() => add64(1, 2), { class: "TypeError" });
  assert.throws(() => same32(1n), { class: "TypeError" });
  assert.throws(() => same32(Symbol()), { class: "TypeError" });
  const mine = new Error("mine");
  assert.equal(assert.throws(() => same32({ valueOf() { throw mine; } })), mine);
});

test("several results are a list", () => {
  const result = all().swap(1, 2n);
  assert.ok(Array.isArray(result));
  assert.deepEqual(result, [2n, 1]);
});

test("a vector has no form in JavaScript", () => {
  assert.throws(() => all().vector(1), { class: "TypeError" });
});

test("an exported function is one function, named by its index", () => {
  const exports = all();
  assert.equal(exports.add, exports.again);
  assert.equal(exports.add.length, 2);
  assert.equal(exports.add.name, "1");
  assert.equal(typeof exports.add, "function");
  assert.equal(Object.getPrototypeOf(exports.add), Function.prototype);
  assert.throws(() => new exports.add(1, 2), { class: "TypeError" });
  assert.equal(exports.add.call(null, 1, 2), 3);
  assert.equal(exports.add.apply(undefined, [1, 2]), 3);
});

test("traps are RuntimeErrors", () => {
  const { unreachable, divide, trunc, load, indirect, add } = all();
  const error = assert.throws(() => unreachable(), { name: "RuntimeError", message: "unreachable" });
  assert.ok(error instanceof WebAssembly.RuntimeError);
  assert.ok(error instanceof Error);
  assert.throws(() => divide(1, 0), { name: "RuntimeError", message: "divide by zero" });
  assert.throws(() => divide(-0x80000000, -1), { name: "RuntimeError", message: "divide result unrepresentable" });
  assert.throws(() => trunc(NaN), { name: "RuntimeError", message: "float unrepresentable in integer range" });
  assert.throws(() => load(65536), { name: "RuntimeError", message: "memory access out of bounds" });
  assert.throws(() => indirect(5), { name: "RuntimeError", message: "table index is out of bounds" });
  assert.throws(() => indirect(0), { name: "RuntimeError" });
  assert.equal(add(1, 1), 2, "the instance goes on");
});

test("recursion without end is a RangeError", () => {
  const { deep, add } = all();
  assert.throws(() => deep(1), { class: "RangeError", message: "Maximum call stack size exceeded" });
  assert.equal(add(1, 1), 2);
});

test("calls nest: JavaScript, WebAssembly, JavaScript, WebAssembly", () => {
  const seen = [];
  const { down } = new WebAssembly.Instance(callbacks, {
    host: {
      back(n) {
        seen.push(n);
        return n === 0 ? 100 : down(n - 1);
      },
    },
  }).exports;
  assert.equal(down(10), 111);
  assert.deepEqual(seen, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

test("an exception goes through WebAssembly as it is", () => {
  const thrown = { not: "an error" };
  const { down } = new WebAssembly.Instance(callbacks, {
    host: { back(n) { if (n === 0) throw thrown; return down(n - 1); } },
  }).exports;
  for (const depth of [0, 1, 5]) {
    let caught;
    try { down(depth); } catch (error) { caught = error; }
    assert.equal(caught, thrown);
  }
  const undefinedThrown = new WebAssembly.Instance(callbacks, { host: { back() { throw undefined; } } }).exports;
  let caught = 1;
  try { undefinedThrown.down(0); } catch (error) { caught = error; }
  assert.equal(caught, undefined);
});

test("a trap inside ends the inner call alone", () => {
  let inner;
  const { down, fail } = new WebAssembly.Instance(callbacks, {
    host: { back(n) { inner = assert.throws(() => fail(), { name: "RuntimeError" }); return n; } },
  }).exports;
  assert.equal(down(41), 42);
  assert.ok(inner instanceof WebAssembly.RuntimeError);
});

test("what an import gives is converted", () => {
  const give = (value) => new WebAssembly.Instance(callbacks, { host: { back: () => value } }).exports.down(0);
  assert.equal(give("41"), 42);
  assert.equal(give(undefined), 1);
  assert.equal(give({ valueOf: () => 1 }), 2);
  assert.throws(() => give(1n), { class: "TypeError" });
});

test("an import is called without this, and any callable will do", () => {
  const seen = [];
  const back = function () { "use strict"; seen.push(this); return 1; };
  new WebAssembly.Instance(callbacks, { host: { back } }).exports.down(0);
  assert.deepEqual(seen, [undefined]);
  const proxy = new Proxy(() => 4, {});
  assert.equal(new WebAssembly.Instance(callbacks, { host: { back: proxy } }).exports.down(0), 5);
  assert.equal(new WebAssembly.Instance(callbacks, { host: { back: Math.abs } }).exports.down(-3), 4);
});

inside("an object calls, and awaits between calls", async ({ storage }) => {
  const { add } = new WebAssembly.Instance(numbers).exports;
  await storage.put("sum", add(20, 22));
  assert.equal(add(await storage.get("sum"), 1), 43);
});
