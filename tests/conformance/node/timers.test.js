// node:timers, node:timers/promises and node:string_decoder.
import { setTimeout as wait, setImmediate as immediate } from "node:timers/promises";
import timers from "node:timers";
import { StringDecoder } from "node:string_decoder";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("timers/promises", async () => {
  assert.equal(await wait(1, "value"), "value");
  assert.equal(await immediate("now"), "now");
});

test("timers", async () => {
  const order = [];
  timers.setTimeout((what) => order.push(what), 100, "timeout");
  timers.setImmediate((what) => order.push(what), "immediate");
  timers.clearTimeout(timers.setTimeout(() => order.push("cleared"), 1));
  await wait(150);
  assert.deepEqual(order, ["immediate", "timeout"]);
});

test("string_decoder", () => {
  const decoder = new StringDecoder("utf8");
  assert.equal(decoder.write(Buffer.from([0xc3])), "");
  assert.equal(decoder.write(Buffer.from([0xa9, 0x61])), "éa");
  decoder.write(Buffer.from([0xc3]));
  assert.equal(decoder.end(), "\uFFFD");
});
