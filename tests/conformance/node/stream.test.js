// node:stream: the basics.
import { Readable, Writable, Transform, PassThrough, Duplex, pipeline } from "node:stream";
import { pipeline as pipelineAsync, finished } from "node:stream/promises";
import { text as consumeText } from "node:stream/consumers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("Readable.from, and async iteration", async () => {
  const seen = [];
  for await (const part of Readable.from(["a", "b", "c"])) seen.push(part);
  assert.deepEqual(seen, ["a", "b", "c"]);
});

test("a Readable of one's own", async () => {
  let n = 0;
  const readable = new Readable({ read() { this.push(n < 3 ? String(n++) : null); } });
  assert.equal(await consumeText(readable), "012");
});

test("a Writable of one's own", async () => {
  const parts = [];
  const writable = new Writable({ write(part, encoding, done) { parts.push(part.toString()); done(); } });
  writable.write("one");
  writable.end("two");
  await finished(writable);
  assert.deepEqual(parts, ["one", "two"]);
  assert.equal(writable.writableFinished, true);
});

test("pipeline through a Transform", async () => {
  const upper = new Transform({ transform(part, encoding, done) { done(null, part.toString().toUpperCase()); } });
  const parts = [];
  await pipelineAsync(Readable.from(["shout ", "loud"]), upper, new Writable({ write(part, encoding, done) { parts.push(part.toString()); done(); } }));
  assert.equal(parts.join(""), "SHOUT LOUD");
});

test("an error in a pipeline", async () => {
  const failing = new Transform({ transform(part, encoding, done) { done(new Error("in the middle")); } });
  await assert.rejects(pipelineAsync(Readable.from(["x"]), failing, new PassThrough()), { message: "in the middle" });
  const error = await new Promise((done) => pipeline(Readable.from(["x"]), new Transform({ transform(p, e, cb) { cb(new Error("callback")); } }), new PassThrough(), done));
  assert.equal(error.message, "callback");
});

test("object mode and pipe", async () => {
  const seen = [];
  const source = new Readable({ objectMode: true, read() {} });
  const sink = new Writable({ objectMode: true, write(part, encoding, done) { seen.push(part.n); done(); } });
  source.pipe(sink);
  source.push({ n: 1 });
  source.push({ n: 2 });
  source.push(null);
  await finished(sink);
  assert.deepEqual(seen, [1, 2]);
});

test("Duplex and data events", async () => {
  const duplex = new Duplex({ read() { this.push("read"); this.push(null); }, write(part, encoding, done) { done(); } });
  const seen = [];
  duplex.on("data", (part) => seen.push(part.toString()));
  await new Promise((done) => duplex.on("end", done));
  assert.deepEqual(seen, ["read"]);
});

test("to and from web streams", async () => {
  const web = Readable.toWeb(Readable.from([Buffer.from("node to web")]));
  assert.equal(await new Response(web).text(), "node to web");
  assert.equal(await consumeText(Readable.fromWeb(new Response("web to node").body)), "web to node");
});
