// Buffer: making, encoding, numbers, comparing, and over RPC.
import { Buffer } from "node:buffer";
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
