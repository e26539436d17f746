// process: its environment, and nextTick.
import process from "node:process";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("process", async () => {
  assert.equal(globalThis.process, process);
  assert.equal(typeof process.env, "object");
  process.env.SOME_NAME = 5;
  assert.equal(process.env.SOME_NAME, "5");
  assert.equal(process.env.MISSING_NAME, undefined);
  delete process.env.SOME_NAME;
  assert.equal("SOME_NAME" in process.env, false);
  const order = [];
  process.nextTick((x) => order.push(x), "tick");
  await new Promise((done) => setTimeout(done, 1));
  assert.deepEqual(order, ["tick"]);
  assert.equal(typeof process.versions.node, "string");
  assert.equal(typeof process.platform, "string");
});
