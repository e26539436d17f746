// EventEmitter.
import { EventEmitter, once } from "node:events";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("EventEmitter", async () => {
  const emitter = new EventEmitter();
  const seen = [];
  const on = (...args) => seen.push(["on", ...args]);
  emitter.on("event", on);
  emitter.once("event", () => seen.push(["once"]));
  emitter.prependListener("event", () => seen.push(["first"]));
  assert.equal(emitter.emit("event", 1, 2), true);
  assert.equal(emitter.emit("event", 3), true);
  assert.deepEqual(seen, [["first"], ["on", 1, 2], ["once"], ["first"], ["on", 3]]);
  emitter.off("event", on);
  assert.equal(emitter.listenerCount("event"), 1);
  emitter.removeAllListeners();
  assert.equal(emitter.emit("event"), false);
  assert.throws(() => emitter.emit("error", new Error("unhandled")), { message: "unhandled" });
  const promise = once(emitter, "later");
  emitter.emit("later", "value");
  assert.deepEqual(await promise, ["value"]);
  class Mine extends EventEmitter {}
  assert.equal(new Mine() instanceof EventEmitter, true);
});
