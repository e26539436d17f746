// node:util.
import { EventEmitter } from "node:events";
import util, { promisify, inspect, format, isDeepStrictEqual, types } from "node:util";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("util", async () => {
  assert.equal(format("%s %d %j %%", "a", 1, { b: 2 }), 'a 1 {"b":2} %');
  assert.equal(inspect({ a: [1, "x"], m: new Map([[1, 2]]) }), "{ a: [ 1, 'x' ], m: Map(1) { 1 => 2 } }");
  assert.equal(isDeepStrictEqual({ a: [1] }, { a: [1] }), true);
  assert.equal(isDeepStrictEqual({ a: 1 }, { a: "1" }), false);
  assert.equal(await promisify((x, done) => done(null, x * 2))(21), 42);
  await assert.rejects(promisify((done) => done(new Error("callback")))(), { message: "callback" });
  assert.equal(types.isDate(new Date()), true);
  assert.equal(types.isPromise(Promise.resolve()), true);
  assert.equal(types.isUint8Array(new Uint8Array(1)), true);
  assert.equal(new util.TextEncoder().encode("a").length, 1);
  const called = await new Promise((done) => util.callbackify(async (x) => x + 1)(1, (error, value) => done([error, value])));
  assert.deepEqual(called, [null, 2]);
  function Old() {}
  util.inherits(Old, EventEmitter);
  assert.equal(new Old() instanceof EventEmitter, true);
  assert.equal(util.deprecate(() => 5, "old")(), 5);
});
