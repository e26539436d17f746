// node:diagnostics_channel.
import diagnostics from "node:diagnostics_channel";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("diagnostics_channel", () => {
  const channel = diagnostics.channel("conformance");
  const seen = [];
  const listener = (message, name) => seen.push([message, name]);
  assert.equal(channel.hasSubscribers, false);
  channel.subscribe(listener);
  channel.publish({ a: 1 });
  channel.unsubscribe(listener);
  channel.publish({ a: 2 });
  assert.deepEqual(seen, [[{ a: 1 }, "conformance"]]);
});
