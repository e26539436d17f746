// Modules and instances: what they tell of themselves, how imports are linked, and what is refused.
import worker, { assert, test } from "../harness.js";
import numbers from "./numbers.wasm";
import linking from "./linking.wasm";
import callbacks from "./callbacks.wasm";
import starting from "./starting.wasm";
import growing from "./growing.wasm";

export default worker;

function imports(changes = {}) {
  return {
    host: {
      log: (...all) => all.length,
      pair: () => [1, 2n],
      memory: new WebAssembly.Memory({ initial: 1, maximum: 4 }),
      table: new WebAssembly.Table({ element: "anyfunc", initial: 2 }),
      counter: new WebAssembly.Global({ value: "i32", mutable: true }, 5),
      constant: 9n,
      ...changes,
    },
  };
}
const link = (changes) => new WebAssembly.Instance(linking, imports(changes));

test("a module tells its imports and exports", () => {
  assert.deepEqual(WebAssembly.Module.imports(linking), [
    { module: "host", name: "log", kind: "function" },
    { module: "host", name: "pair", kind: "function" },
    { module: "host", name: "memory", kind: "memory" },
    { module: "host", name: "table", kind: "table" },
    { module: "host", name: "counter", kind: "global" },
    { module: "host", name: "constant", kind: "global" },
  ]);
  assert.deepEqual(WebAssembly.Module.exports(growing), [
    { name: "memory", kind: "memory" }, { name: "grow", kind: "function" }, { name: "size", kind: "function" }, { name: "load", kind: "function" },
  ]);
  assert.deepEqual(WebAssembly.Module.imports(growing), []);
  assert.deepEqual(WebAssembly.Module.customSections(growing, "none"), []);
  assert.throws(() => WebAssembly.Module.customSections(growing), { class: "TypeError" });
  for (const wrong of [{}, null, undefined, 1, WebAssembly.Module.prototype]) {
    assert.throws(() => WebAssembly.Module.exports(wrong), { class: "TypeError" });
    assert.throws(() => WebAssembly.Module.imports(wrong), { class: "TypeError" });
  }
});

test("exports are a frozen object without a prototype", () => {
  const instance = new WebAssembly.Instance(growing);
  const { exports } = instance;
  assert.equal(Object.getPrototypeOf(exports), null);
  assert.ok(Object.isFrozen(exports));
  assert.equal(instance.exports, exports);
  assert.deepEqual(Object.keys(exports), ["memory", "grow", "size", "load"]);
  assert.throws(() => { "use strict"; exports.grow = 1; }, { class: "TypeError" });
  assert.equal(Object.prototype.toString.call(instance), "[object WebAssembly.Instance]");
});

test("imports of all kinds", () => {
  const seen = [];
  const { exports } = link({ log: (...all) => { seen.push(all); return 8; } });
  assert.equal(exports.callLog(4), 8);
  assert.deepEqual(seen, [[4, 2.5, -3n]]);
  assert.equal(exports.callPair(), -1n);
  assert.throws(() => link({ pair: () => [1] }).exports.callPair(), { class: "TypeError" });
  assert.throws(() => link({ pair: () => 5 }).exports.callPair(), { class: "TypeError" });
  assert.equal(link({ pair: () => new Set([7, 3n]) }).exports.callPair(), 4n);
});

test("what is imported and exported again stays what it was", () => {
  const given = imports();
  const { exports } = new WebAssembly.Instance(linking, given);
  assert.equal(exports.memory, given.host.memory);
  assert.equal(exports.table, given.host.table);
  assert.equal(exports.counter, given.host.counter);
  assert.equal(exports.constant.value, 9n);
  assert.notEqual(exports.log, given.host.log, "a function of JavaScript becomes one of WebAssembly");
  assert.equal(exports.log(1, 2, 3n), 3);
  const { add } = new WebAssembly.Instance(numbers).exports;
  const again = new WebAssembly.Instance(callbacks, { host: { back: link().exports.callLog } });
  assert.equal(again.exports.down(1), 4, "WebAssembly calls WebAssembly");
  assert.throws(() => new WebAssembly.Instance(callbacks, { host: { back: add } }), { name: "LinkError" }, "of another type");
});

test("instances share what they import", () => {
  const given = imports();
  const [one, two] = [new WebAssembly.Instance(linking, given).exports, new WebAssembly.Instance(linking, given).exports];
  one.store(10, 77);
  assert.equal(two.load(10), 77);
  assert.equal(one.count(), 6);
  assert.equal(two.count(), 7);
  assert.equal(given.host.counter.value, 7);
  assert.notEqual(one.load, two.load);
});

test("imports that do not fit are refused", () => {
  const refused = (changes, expected = { name: "LinkError" }) => assert.throws(() => link(changes), expected, JSON.stringify(Object.keys(changes)));
  for (const name of ["log", "pair", "memory", "table", "counter", "constant"]) {
    refused({ [name]: undefined });
    refused({ [name]: {} });
    refused({ [name]: "text" });
  }
  refused({ memory: new WebAssembly.Memory({ initial: 1 }) });
  refused({ memory: new WebAssembly.Memory({ initial: 1, maximum: 5 }) });
  refused({ memory: new WebAssembly.Memory({ initial: 0, maximum: 4 }) });
  refused({ table: new WebAssembly.Table({ element: "externref", initial: 2 }) });
  refused({ table: new WebAssembly.Table({ element: "anyfunc", initial: 1 }) });
  refused({ counter: 5 });
  refused({ counter: new WebAssembly.Global({ value: "i32" }, 5) });
  refused({ counter: new WebAssembly.Global({ value: "i64", mutable: true }, 5n) });
  refused({ constant: 5 });
  refused({ constant: new WebAssembly.Global({ value: "i64", mutable: true }, 5n) });
  const error = assert.throws(() => link({ log: 1 }));
  assert.ok(error instanceof WebAssembly.LinkError);
  assert.match(error.message, /host.*log/);
  for (const wrong of [undefined, {}, { host: undefined }, { host: 1 }, { host: "x" }]) {
    assert.throws(() => new WebAssembly.Instance(linking, wrong), { class: "TypeError" });
  }
  assert.throws(() => new WebAssembly.Instance(growing, 1), { class: "TypeError" });
  assert.throws(() => new WebAssembly.Instance(growing, null), { class: "TypeError" });
  assert.throws(() => new WebAssembly.Instance({}), { class: "TypeError" });
  assert.throws(() => new WebAssembly.Instance(), { class: "TypeError" });
  assert.throws(() => WebAssembly.Instance(growing), { class: "TypeError" });
});

test("imports are read in their order, each once", () => {
  const read = [];
  const { host } = imports();
  const watched = new Proxy(host, { get(target, name) { read.push(name); return target[name]; } });
  new WebAssembly.Instance(linking, { host: watched });
  assert.deepEqual(read, ["log", "pair", "memory", "table", "counter", "constant"]);
  const mine = new Error("mine");
  assert.equal(assert.throws(() => new WebAssembly.Instance(linking, { get host() { throw mine; } })), mine);
});

test("segments that do not fit trap, and a start function may throw", () => {
  const memory = (initial) => new WebAssembly.Memory({ initial });
  let began = 0;
  assert.throws(() => new WebAssembly.Instance(starting, { host: { begin() { began += 1; }, memory: memory(0) } }), { name: "RuntimeError" });
  assert.equal(began, 0);
  new WebAssembly.Instance(starting, { host: { begin() { began += 1; }, memory: memory(2) } });
  assert.equal(began, 1);
  const mine = new Error("mine");
  const fails = { host: { begin() { throw mine; }, memory: memory(2) } };
  assert.equal(assert.throws(() => new WebAssembly.Instance(starting, fails)), mine);
});

test("a start function may call other instances", () => {
  const { down } = new WebAssembly.Instance(callbacks, { host: { back: (n) => n * 2 } }).exports;
  let got;
  new WebAssembly.Instance(starting, { host: { begin() { got = down(4); }, memory: new WebAssembly.Memory({ initial: 2 }) } });
  assert.equal(got, 9);
});

test("instantiate gives an instance of a module", async () => {
  const instance = await WebAssembly.instantiate(growing);
  assert.ok(instance instanceof WebAssembly.Instance);
  assert.equal(instance.exports.size(), 1);
  await assert.rejects(WebAssembly.instantiate(linking), { class: "TypeError" });
  await assert.rejects(WebAssembly.instantiate(linking, imports({ log: 1 })), { name: "LinkError" });
  await assert.rejects(WebAssembly.instantiate(), { class: "TypeError" });
  await assert.rejects(WebAssembly.instantiate({}), { class: "TypeError" });
});

test("the names of the namespace", () => {
  assert.equal(Object.prototype.toString.call(WebAssembly), "[object WebAssembly]");
  for (const name of ["Module", "Instance", "Memory", "Table", "Global", "CompileError", "LinkError", "RuntimeError"]) {
    const Class = WebAssembly[name];
    assert.equal(Class.name, name);
    assert.equal(Class.length, 1, name);
    assert.equal(Object.getOwnPropertyDescriptor(WebAssembly, name).enumerable, false);
  }
  for (const [name, length] of [["validate", 1], ["compile", 1], ["instantiate", 1]]) {
    assert.equal(WebAssembly[name].name, name);
    assert.equal(WebAssembly[name].length, length, name);
  }
  assert.equal(WebAssembly.Memory.prototype.grow.length, 1);
  assert.equal(WebAssembly.Table.prototype.grow.length, 1);
  assert.equal(WebAssembly.Table.prototype.get.length, 1);
  assert.equal(WebAssembly.Table.prototype.set.length, 1);
  assert.equal(WebAssembly.Global.prototype.valueOf.length, 0);
  assert.equal(Object.getOwnPropertyDescriptor(globalThis, "WebAssembly").enumerable, false);
});

test("the errors of WebAssembly", () => {
  for (const name of ["CompileError", "LinkError", "RuntimeError"]) {
    const Class = WebAssembly[name];
    const error = new Class("words", { cause: 1 });
    assert.ok(error instanceof Class);
    assert.ok(error instanceof Error);
    assert.equal(Object.getPrototypeOf(Class), Error);
    assert.equal(Object.getPrototypeOf(Class.prototype), Error.prototype);
    assert.equal(error.name, name);
    assert.equal(error.message, "words");
    assert.equal(error.cause, 1);
    assert.equal(String(error), `${name}: words`);
    assert.equal(Object.prototype.toString.call(error), "[object Error]");
    assert.equal(Object.hasOwn(new Class(), "message"), false);
    assert.ok(Class("called") instanceof Class);
    class Mine extends Class {}
    assert.ok(new Mine("x") instanceof Mine);
    assert.equal(new Mine("x").message, "x");
  }
});
