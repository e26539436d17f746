// node:assert.
import nodeAssert from "node:assert";
import strict from "node:assert/strict";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("node:assert", () => {
  nodeAssert(true);
  nodeAssert.ok(1);
  strict.equal(1, 1);
  nodeAssert.strictEqual(1, 1);
  nodeAssert.deepStrictEqual({ a: [1, new Map([[1, 2]])] }, { a: [1, new Map([[1, 2]])] });
  nodeAssert.throws(() => { throw new TypeError("x"); }, TypeError);
  nodeAssert.match("abc", /b/);
  nodeAssert.doesNotThrow(() => 1);
  const error = assert.throws(() => nodeAssert.strictEqual(1, 2), { name: "AssertionError", code: "ERR_ASSERTION", actual: 1, expected: 2, operator: "strictEqual" });
  assert.equal(error instanceof nodeAssert.AssertionError, true);
  assert.throws(() => nodeAssert.deepStrictEqual({ a: 1 }, { a: "1" }), { code: "ERR_ASSERTION" });
  assert.throws(() => nodeAssert(false, "my message"), { message: "my message" });
  assert.throws(() => nodeAssert.fail("failed"), { message: "failed" });
});

test("node:assert equal is loose, its strict form is not", () => {
  nodeAssert.equal(1, "1");
  assert.throws(() => strict.equal(1, "1"), { code: "ERR_ASSERTION" });
});

test("node:assert rejects", async () => {
  await nodeAssert.rejects(Promise.reject(new Error("no")), { message: "no" });
  await assert.rejects(nodeAssert.rejects(Promise.resolve(1)), { code: "ERR_ASSERTION" });
});
