// MessageChannel, MessagePort and MessageEvent.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
}

const message = (port) => new Promise((got) => { port.onmessage = got; });
const event = (target, type) => new Promise((got) => target.addEventListener(type, got, { once: true }));

const works = async () => {
  const { port1, port2 } = new MessageChannel();
  const value = { map: new Map([[1, new Date(5)]]), bytes: new Uint8Array([1, 2]), error: new RangeError("x") };
  port1.postMessage(value);
  const got = await message(port2);
  assert.equal(got instanceof MessageEvent, true);
  assert.equal(got.type, "message");
  assert.equal(got.target, port2);
  assert.notEqual(got.data, value);
  assert.deepEqual(got.data.map, value.map);
  assert.deepEqual(got.data.bytes, value.bytes);
  assert.equal(got.data.error instanceof RangeError, true);
  port2.postMessage("back");
  assert.equal((await message(port1)).data, "back");
};
test("a value goes to the other port as a clone, and back", works);
inside("a value goes to the other port as a clone, and back, in an object", works);

test("the value is cloned when it is posted, and arrives after the code that posts it", async () => {
  const { port1, port2 } = new MessageChannel();
  const order = [];
  port2.onmessage = ({ data }) => order.push(data.text);
  const value = { text: "first" };
  port1.postMessage(value);
  value.text = "second";
  port1.postMessage(value);
  order.push("code");
  port1.postMessage({ text: "third" });
  await event(port2, "message");
  await scheduler.wait(1);
  assert.deepEqual(order, ["code", "first", "second", "third"]);
});

test("messages wait until the port has a listener", async () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(1);
  port1.postMessage(2);
  await scheduler.wait(1);
  const seen = [];
  port2.addEventListener("message", ({ data }) => seen.push(data));
  port2.start();
  await scheduler.wait(5);
  assert.deepEqual(seen, [1, 2]);
  const other = new MessageChannel();
  other.port2.onmessage = 5;
  assert.equal(other.port2.onmessage, null);
});

test("close tells both ports; what was posted before arrives, nothing after", async () => {
  const { port1, port2 } = new MessageChannel();
  const seen = [];
  port2.onmessage = ({ data }) => seen.push(data);
  port1.addEventListener("close", () => seen.push("close 1"));
  port2.addEventListener("close", () => seen.push("close 2"));
  port1.postMessage("before");
  port1.close();
  port1.close();
  port1.postMessage("after");
  port2.postMessage("after");
  await scheduler.wait(5);
  assert.deepEqual(seen, ["close 2", "close 1", "before"]);
});

test("a handler that throws makes a messageerror, and the next message arrives", async () => {
  const { port1, port2 } = new MessageChannel();
  const seen = [];
  port2.onmessage = ({ data }) => {
    seen.push(data);
    if (data === 1) throw new Error("refused");
  };
  port2.addEventListener("messageerror", ({ data }) => seen.push(data.message));
  port1.postMessage(1);
  port1.postMessage(2);
  await scheduler.wait(5);
  assert.deepEqual(seen, [1, "refused", 2]);
});

test("what cannot be cloned or transferred is refused at once", () => {
  const { port1, port2 } = new MessageChannel();
  assert.throws(() => port1.postMessage(() => 1), { name: "DataCloneError", message: "() => 1 could not be cloned." });
  assert.throws(() => port1.postMessage(port2), { name: "DataCloneError" });
  const buffer = new ArrayBuffer(4);
  assert.throws(() => port1.postMessage(buffer, [buffer]), { class: "Error", message: "Transfer list is not supported" });
  assert.throws(() => port1.postMessage(buffer, { transfer: [buffer] }), { class: "Error", message: "Transfer list is not supported" });
  assert.equal(buffer.byteLength, 4);
  assert.equal(port1.postMessage(buffer, []), undefined);
  assert.equal(port1.postMessage(), undefined);
  assert.throws(() => new MessagePort(), { class: "TypeError", message: "Illegal constructor" });
});

test("MessageEvent", () => {
  const { port1 } = new MessageChannel();
  const made = new MessageEvent("message", { data: { a: 1 }, origin: "https://x", lastEventId: "7", source: port1, ports: [port1] });
  assert.deepEqual([made.data.a, made.origin, made.lastEventId, made.source === port1, made.ports.length], [1, "https://x", "7", true, 1]);
  assert.equal(made instanceof Event, true);
  assert.equal(new MessageEvent("message").data, null);
});
