// node: modules that objects use: assert, buffer, events, util, path, process, url, timers.
import nodeAssert from "node:assert";
import strict from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EventEmitter, once } from "node:events";
import util, { promisify, inspect, format, isDeepStrictEqual, types } from "node:util";
import path from "node:path";
import process from "node:process";
import { URL as NodeUrl, fileURLToPath, pathToFileURL } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import querystring from "node:querystring";
import { StringDecoder } from "node:string_decoder";
import { DurableObject } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

export class Uses extends DurableObject {
  hex(text) { return Buffer.from(text).toString("hex"); }
  buffer() { return Buffer.from("buffer"); }
  isBuffer(value) { return [Buffer.isBuffer(value), value instanceof Uint8Array]; }
  async keep(value) {
    await this.ctx.storage.put("b", value);
    return Buffer.from(await this.ctx.storage.get("b")).toString();
  }
}

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

test("Buffer: making one", () => {
  assert.equal(globalThis.Buffer, Buffer);
  assert.equal(Buffer.from("héllo").length, 6);
  assert.deepEqual([...Buffer.from([1, 256, 3])], [1, 0, 3]);
  assert.deepEqual([...Buffer.alloc(3, 7)], [7, 7, 7]);
  assert.equal(Buffer.allocUnsafe(5).length, 5);
  assert.equal(Buffer.concat([Buffer.from("a"), Buffer.from("bc")]).toString(), "abc");
  assert.equal(Buffer.isBuffer(Buffer.alloc(1)), true);
  assert.equal(Buffer.isBuffer(new Uint8Array(1)), false);
  assert.equal(Buffer.byteLength("é"), 2);
  assert.equal(Buffer.from("x") instanceof Uint8Array, true);
});

test("Buffer: encodings", () => {
  for (const [encoding, encoded] of [["hex", "68c3a9"], ["base64", "aMOp"], ["base64url", "aMOp"], ["latin1", "hÃ©"], ["utf8", "hé"]]) {
    assert.equal(Buffer.from("hé").toString(encoding), encoded);
    assert.equal(Buffer.from(encoded, encoding).toString(), "hé");
  }
  assert.equal(Buffer.from("hi", "utf16le").length, 4);
  assert.equal(Buffer.from("ÿ", "ascii").toString("hex"), "ff");
  assert.equal(Buffer.from("_-8", "base64url").toString("hex"), "ffef");
  assert.equal(Buffer.isEncoding("hex"), true);
  assert.equal(Buffer.isEncoding("nope"), false);
});

test("Buffer: reading and writing numbers", () => {
  const buffer = Buffer.alloc(16);
  buffer.writeUInt32BE(0xdeadbeef, 0);
  buffer.writeInt16LE(-2, 4);
  buffer.writeDoubleBE(1.5, 8);
  assert.equal(buffer.readUInt32BE(0), 0xdeadbeef);
  assert.equal(buffer.readInt16LE(4), -2);
  assert.equal(buffer.readDoubleBE(8), 1.5);
  assert.equal(buffer.readUInt8(0), 0xde);
  buffer.writeBigUInt64LE(2n ** 63n, 0);
  assert.equal(buffer.readBigUInt64LE(0), 2n ** 63n);
  assert.throws(() => buffer.readUInt32BE(14), { class: "RangeError", code: "ERR_OUT_OF_RANGE" });
});

test("Buffer: comparing, searching, slicing", () => {
  const buffer = Buffer.from("hello world");
  assert.equal(buffer.indexOf("world"), 6);
  assert.equal(buffer.includes("lo w"), true);
  assert.equal(buffer.subarray(0, 5).toString(), "hello");
  assert.equal(Buffer.compare(Buffer.from("a"), Buffer.from("b")), -1);
  assert.equal(Buffer.from("a").equals(Buffer.from("a")), true);
  const copy = Buffer.alloc(5);
  assert.equal(buffer.copy(copy), 5);
  assert.equal(copy.toString(), "hello");
  assert.deepEqual(JSON.parse(JSON.stringify(Buffer.from("a"))), { type: "Buffer", data: [97] });
  buffer.fill("x");
  assert.equal(buffer.toString(), "x".repeat(11));
  buffer.subarray(0, 1)[0] = 65;
  assert.equal(buffer[0], 65);
});

test("Buffer over RPC and in storage", async ({ env, name }) => {
  const stub = env.USES.getByName(name);
  assert.equal(await stub.hex("hi"), "6869");
  const back = await stub.buffer();
  assert.equal(Buffer.from(back).toString(), "buffer");
  assert.equal(back instanceof Uint8Array, true);
  assert.deepEqual(await stub.isBuffer(Buffer.from("x")), [false, true]);
  assert.equal(await stub.keep(Buffer.from("kept")), "kept");
});

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

test("path", () => {
  assert.equal(path.join("/a", "..", "b", "./c"), "/b/c");
  assert.equal(path.resolve("/a", "b", "../c"), "/a/c");
  assert.equal(path.basename("/a/b.txt", ".txt"), "b");
  assert.equal(path.extname("x.tar.gz"), ".gz");
  assert.equal(path.dirname("/a/b/c"), "/a/b");
  assert.equal(path.relative("/a/b", "/a/c/d"), "../c/d");
  assert.equal(path.normalize("/a//b/../c/."), "/a/c");
  assert.equal(path.isAbsolute("a"), false);
  assert.deepEqual(path.parse("/home/x.txt"), { root: "/", dir: "/home", base: "x.txt", ext: ".txt", name: "x" });
  assert.equal(path.format({ dir: "/d", base: "f" }), "/d/f");
  assert.equal(path.sep, "/");
  assert.equal(path.posix, path);
});

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

test("url, querystring, string_decoder, timers/promises", async () => {
  assert.equal(NodeUrl, URL);
  assert.equal(fileURLToPath("file:///a/b"), "/a/b");
  assert.equal(pathToFileURL("/a b").href, "file:///a%20b");
  assert.equal(querystring.stringify({ a: ["1", "2"], b: "x y" }), "a=1&a=2&b=x%20y");
  assert.equal(querystring.parse("a=1&b=2").b, "2");
  const decoder = new StringDecoder("utf8");
  assert.equal(decoder.write(Buffer.from([0xc3])) + decoder.write(Buffer.from([0xa9])), "é");
  assert.equal(await wait(1, "value"), "value");
});
