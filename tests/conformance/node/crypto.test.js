// node:crypto: hashes, HMAC, random values, comparison, key derivation.
import crypto, { createHash, createHmac, randomBytes, randomUUID, randomInt, timingSafeEqual, pbkdf2Sync, hkdf, hkdfSync, scrypt, scryptSync, getHashes } from "node:crypto";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("hashes of known texts", () => {
  const of = (algorithm, text) => createHash(algorithm).update(text).digest("hex");
  assert.equal(of("md5", "abc"), "900150983cd24fb0d6963f7d28e17f72");
  assert.equal(of("sha1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert.equal(of("sha256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(of("sha384", "abc"), "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  assert.equal(of("sha512", "abc").slice(0, 32), "ddaf35a193617abacc417349ae204131");
  assert.equal(of("sha256", ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("a hash in parts, encodings, copies", () => {
  const hash = createHash("sha256").update("a");
  const copy = hash.copy();
  hash.update(new Uint8Array([98])).update(Buffer.from("c"));
  assert.equal(hash.digest("base64"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  assert.equal(copy.digest("hex"), "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
  assert.equal(createHash("sha256").update("616263", "hex").digest("hex").slice(0, 8), "ba7816bf");
  assert.equal(Buffer.isBuffer(createHash("md5").update("x").digest()), true);
  assert.throws(() => hash.update("more"), { class: "Error", code: "ERR_CRYPTO_HASH_FINALIZED" });
  assert.throws(() => createHash("no-such-hash"), { class: "Error" });
  assert.equal(getHashes().includes("sha256") || getHashes().includes("SHA256"), true);
});

test("HMAC", () => {
  assert.equal(createHmac("sha256", "key").update("The quick brown fox jumps over the lazy dog").digest("hex"), "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
  assert.equal(createHmac("sha1", Buffer.from("key")).update("The quick brown fox jumps over the lazy dog").digest("hex"), "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
});

test("random values", () => {
  assert.equal(randomBytes(16).length, 16);
  assert.notEqual(randomBytes(16).toString("hex"), randomBytes(16).toString("hex"));
  assert.match(randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  for (let i = 0; i < 20; i++) {
    const n = randomInt(5, 8);
    assert.ok(n >= 5 && n < 8, `${n}`);
  }
});

test("timingSafeEqual", () => {
  assert.equal(timingSafeEqual(Buffer.from("abc"), Buffer.from("abc")), true);
  assert.equal(timingSafeEqual(Buffer.from("abc"), Buffer.from("abd")), false);
  assert.throws(() => timingSafeEqual(Buffer.from("a"), Buffer.from("ab")));
});

test("pbkdf2 and hkdf", () => {
  assert.equal(pbkdf2Sync("password", "salt", 1, 20, "sha1").toString("hex"), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
  const okm = hkdfSync("sha256", Buffer.from("0b".repeat(22), "hex"), Buffer.from("000102030405060708090a0b0c", "hex"), Buffer.from("f0f1f2f3f4f5f6f7f8f9", "hex"), 42);
  assert.equal(Buffer.from(okm).toString("hex"), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

test("hkdf of other hashes and lengths, by callback, refusals", async () => {
  const hex = (buffer) => Buffer.from(buffer).toString("hex");
  assert.equal(hex(hkdfSync("sha256", "", "", "", 8)), "eb70f01dede9afaf");
  assert.equal(hex(hkdfSync("sha512", "key", "salt", "info", 70)).length, 140);
  assert.equal(hkdfSync("sha256", "key", "salt", "", 0).byteLength, 0);
  const long = hkdfSync("sha1", "key", "salt", "info", 255 * 20);
  assert.equal(hex(long.slice(0, 10)), hex(hkdfSync("sha1", "key", "salt", "info", 10)));
  const called = await new Promise((done) => hkdf("sha256", "key", "salt", "info", 10, (error, key) => done([error ?? null, key])));
  assert.equal(called[0], null);
  assert.equal(called[1] instanceof ArrayBuffer, true);
  assert.equal(hex(called[1]), hex(hkdfSync("sha256", "key", "salt", "info", 10)));
  assert.throws(() => hkdfSync("sha256", "k", "s", "i", 255 * 32 + 1), { class: "RangeError" });
  assert.throws(() => hkdfSync("no-such-hash", "k", "s", "i", 10), { class: "TypeError" });
  assert.throws(() => hkdfSync("sha256", "k", "s", new Uint8Array(1025), 10), { class: "RangeError", code: "ERR_OUT_OF_RANGE" });
});

test("scrypt of RFC 7914", () => {
  const of = (password, salt, options) => scryptSync(password, salt, 64, options).toString("hex");
  assert.equal(of("", "", { N: 16, r: 1, p: 1 }), "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
  assert.equal(of("password", "NaCl", { N: 1024, r: 8, p: 1 }), "27b418c674c769d12501fbb1f53bac32df6514c0f28d043872b148b348961a79057a6861cc3553246aa0ddb63bc074450b924022547a799538d603396835dd62");
});

test("scrypt's options, by callback, refusals", async () => {
  assert.equal(scryptSync("p", "s", 8, { cost: 2, blockSize: 2, parallelization: 3 }).toString("hex"), "dd2483446a1b7574");
  assert.equal(scryptSync("p", "s", 0, { N: 2 }).length, 0);
  const order = [];
  const key = new Promise((done, failed) => scrypt("p", "s", 8, { N: 2 }, (error, key) => { order.push("key"); error ? failed(error) : done(key); }));
  order.push("after");
  assert.equal((await key).toString("hex"), "a707fd18f694cb86");
  assert.deepEqual(order, ["after", "key"]);
  assert.throws(() => scryptSync("p", "s", 8, { N: 15 }));
  assert.throws(() => scryptSync("p", "s", 8, { N: 1 }));
  assert.throws(() => scryptSync("p", "s", 8, { N: 65536 }), {}, "more memory than maxmem");
  assert.throws(() => scryptSync("p", "s", 8, { N: 16, cost: 16 }));
  assert.throws(() => scryptSync("p", "s", -1), { class: "RangeError", code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => scryptSync(5, "s", 1), { class: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
});

test("webcrypto is the global one", () => {
  assert.equal(typeof crypto.webcrypto.subtle.digest, "function");
  assert.equal(typeof crypto.subtle.digest, "function");
});
