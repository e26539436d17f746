// crypto.subtle and crypto: known answers, round trips, refusals.
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

const text = new TextEncoder();
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (string) => new Uint8Array(string.match(/../g).map((pair) => parseInt(pair, 16)));
const { subtle } = crypto;

test("digest", async () => {
  const of = async (name, data = "abc") => hex(await subtle.digest(name, text.encode(data)));
  assert.equal(await of("SHA-1"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert.equal(await of("SHA-256"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(await of({ name: "sha-384" }), "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  assert.equal((await of("SHA-512")).slice(0, 32), "ddaf35a193617abacc417349ae204131");
  assert.equal(await of("MD5"), "900150983cd24fb0d6963f7d28e17f72");
  assert.equal(await of("SHA-256", ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  await assert.rejects(async () => subtle.digest("SHA-9", text.encode("x")), { name: "NotSupportedError" });
});

test("crypto.getRandomValues and randomUUID", () => {
  const array = new Uint8Array(32);
  assert.equal(crypto.getRandomValues(array), array);
  assert.ok(array.some((byte) => byte !== 0));
  assert.match(crypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.throws(() => crypto.getRandomValues(new Uint8Array(65537)), { name: "QuotaExceededError" });
  assert.throws(() => crypto.getRandomValues(new Float32Array(1)), { name: "TypeMismatchError" });
});

test("HMAC", async () => {
  const key = await subtle.importKey("raw", text.encode("key"), { name: "HMAC", hash: "SHA-256" }, true, ["sign", "verify"]);
  const data = text.encode("The quick brown fox jumps over the lazy dog");
  const signature = await subtle.sign("HMAC", key, data);
  assert.equal(hex(signature), "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
  assert.equal(await subtle.verify("HMAC", key, signature, data), true);
  assert.equal(await subtle.verify("HMAC", key, signature, text.encode("other")), false);
  assert.equal(key.type, "secret");
  assert.equal(key.extractable, true);
  assert.equal(key.algorithm.name, "HMAC");
  assert.equal(key.algorithm.hash.name, "SHA-256");
  assert.deepEqual(key.usages, ["sign", "verify"]);
  assert.equal(hex(await subtle.exportKey("raw", key)), "6b6579");
  assert.equal((await subtle.exportKey("jwk", key)).k, "a2V5");
});

test("a key that may not be exported, or not be used so", async () => {
  const key = await subtle.importKey("raw", text.encode("key"), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  await assert.rejects(async () => subtle.exportKey("raw", key), { name: "InvalidAccessError" });
  await assert.rejects(async () => subtle.sign("HMAC", key, text.encode("x")), { name: "InvalidAccessError" });
});

test("AES-GCM", async () => {
  const key = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = text.encode("header");
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, text.encode("secret"));
  assert.equal(sealed.byteLength, 6 + 16);
  assert.equal(new TextDecoder().decode(await subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed)), "secret");
  await assert.rejects(async () => subtle.decrypt({ name: "AES-GCM", iv, additionalData: text.encode("other") }, key, sealed), { name: "OperationError" });
  assert.equal((await subtle.exportKey("raw", key)).byteLength, 32);
});

test("AES-GCM, AES-CBC and AES-CTR of known answers", async () => {
  const zero = new Uint8Array(16);
  const gcm = await subtle.importKey("raw", zero, "AES-GCM", false, ["encrypt"]);
  assert.equal(hex(await subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, gcm, zero)), "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
  const key = bytes("2b7e151628aed2a6abf7158809cf4f3c");
  const block = bytes("6bc1bee22e409f96e93d7e117393172a");
  const cbc = await subtle.importKey("raw", key, "AES-CBC", false, ["encrypt", "decrypt"]);
  const sealed = await subtle.encrypt({ name: "AES-CBC", iv: bytes("000102030405060708090a0b0c0d0e0f") }, cbc, block);
  assert.equal(hex(sealed).slice(0, 32), "7649abac8119b246cee98e9b12e9197d");
  const ctr = await subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  assert.equal(hex(await subtle.encrypt({ name: "AES-CTR", counter: bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), length: 64 }, ctr, block)), "874d6191b620e3261bef6864990db6ce");
});

test("PBKDF2", async () => {
  const key = await subtle.importKey("raw", text.encode("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
  const bits = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: text.encode("salt"), iterations: 2 }, key, 160);
  assert.equal(hex(bits), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
  const derived = await subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt: text.encode("salt"), iterations: 10 }, key, { name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  assert.equal(derived.algorithm.length, 256);
});

test("HKDF of RFC 5869", async () => {
  const key = await subtle.importKey("raw", bytes("0b".repeat(22)), "HKDF", false, ["deriveBits"]);
  const bits = await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: bytes("000102030405060708090a0b0c"), info: bytes("f0f1f2f3f4f5f6f7f8f9") }, key, 336);
  assert.equal(hex(bits), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

for (const [namedCurve, hash, length] of [["P-256", "SHA-256", 64], ["P-384", "SHA-384", 96]]) {
  test(`ECDSA ${namedCurve}`, async () => {
    const pair = await subtle.generateKey({ name: "ECDSA", namedCurve }, true, ["sign", "verify"]);
    const signature = await subtle.sign({ name: "ECDSA", hash }, pair.privateKey, text.encode("data"));
    assert.equal(signature.byteLength, length);
    const jwk = await subtle.exportKey("jwk", pair.publicKey);
    assert.equal(jwk.crv, namedCurve);
    const again = await subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve }, true, ["verify"]);
    assert.equal(await subtle.verify({ name: "ECDSA", hash }, again, signature, text.encode("data")), true);
    assert.equal(await subtle.verify({ name: "ECDSA", hash }, again, signature, text.encode("other")), false);
    const spki = await subtle.exportKey("spki", pair.publicKey);
    const third = await subtle.importKey("spki", spki, { name: "ECDSA", namedCurve }, false, ["verify"]);
    assert.equal(await subtle.verify({ name: "ECDSA", hash }, third, signature, text.encode("data")), true);
  });
}

test("Ed25519 of RFC 8032", async () => {
  const key = await subtle.importKey("raw", bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), "Ed25519", true, ["verify"]);
  const signature = bytes("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  assert.equal(await subtle.verify("Ed25519", key, signature, new Uint8Array(0)), true);
  assert.equal(await subtle.verify("Ed25519", key, signature, new Uint8Array(1)), false);
  const pair = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const made = await subtle.sign("Ed25519", pair.privateKey, text.encode("data"));
  assert.equal(made.byteLength, 64);
  assert.equal(await subtle.verify("Ed25519", pair.publicKey, made, text.encode("data")), true);
});

test("RSA signatures", async () => {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  const pair = await subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const signature = await subtle.sign("RSASSA-PKCS1-v1_5", pair.privateKey, text.encode("data"));
  assert.equal(signature.byteLength, 256);
  const jwk = await subtle.exportKey("jwk", pair.publicKey);
  assert.equal(jwk.kty, "RSA");
  assert.equal(jwk.e, "AQAB");
  const again = await subtle.importKey("jwk", jwk, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);
  assert.equal(await subtle.verify("RSASSA-PKCS1-v1_5", again, signature, text.encode("data")), true);
  assert.equal(await subtle.verify("RSASSA-PKCS1-v1_5", again, signature, text.encode("other")), false);
});

test("a token signed with RS256 by another is verified", async () => {
  const jwk = { kty: "RSA", e: "AQAB", n: "sZ7M2xVu4_ia9Xw_xGBprPSdYL3yTB4xywtp896pU-l5V_bEfQ-ljKJuRkB0ffw-v3FGH_-J-FdUXEZjFC1RFYxBa18Px1B7FnogwxjUMrwYnIhv2vE8XfijcaDdI4dlRIIApYWDI31cbu1Mh7z7s1jASuo6cWxgWTdGSwerEKeId29Iz75SOHjsCL-T3uWPneAaZvdFGnmbtoLPnvVCNOrgACe-VX-qqX8GicSfoFD9HNptRUo7sCpVxELierUZXQpLZnHcN6whOT_OXV16Mvt7FahVkBJWOw4G_MhyIfzqtKRUTTkF-WTR1ofssVuvyjnwmurVBr_ZbJeJcR0Cdw" };
  const [head, body, signature] = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjb25mb3JtYW5jZSJ9.LPSydP9y5TJZix5NujgLPq1cmP88LFcHB9CASIB0iO7k9VOWFUXdw28i8qm1UbUdiSAczZc6wmclOBrWy2msz5TjhbFptN9gIyJFid2V_CZDhxD6QhZ30WYX2gjqVE8Xxt0VdvlvmLr-VjvCivdjTXzK5fl9ukMZw8ixpVzLqfNpSxDLP2Oim2ow23p15PmpoXrlKajJOz66prt16SG_72t1xNprKCy9qmtsa5b57LUPRVo348pzp2FJuPVMLPSHsvBp_jdH20Lg5BbHPbL3FRUp1vM9ZRnyaouaRbkMTiRGZrtIbXS1fiZoFbLtPeLTa6-PUIeDjx94XXn8aQqrXQ".split(".");
  const key = await subtle.importKey("jwk", jwk, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);
  const raw = Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  assert.equal(await subtle.verify("RSASSA-PKCS1-v1_5", key, raw, text.encode(`${head}.${body}`)), true);
  assert.equal(await subtle.verify("RSASSA-PKCS1-v1_5", key, raw, text.encode(`${head}.x${body}`)), false);
});

test("ECDH and X25519 agree", async () => {
  for (const algorithm of [{ name: "ECDH", namedCurve: "P-256" }, { name: "X25519" }]) {
    const a = await subtle.generateKey(algorithm, true, ["deriveBits"]);
    const b = await subtle.generateKey(algorithm, true, ["deriveBits"]);
    const ab = await subtle.deriveBits({ name: algorithm.name, public: b.publicKey }, a.privateKey, 256);
    const ba = await subtle.deriveBits({ name: algorithm.name, public: a.publicKey }, b.privateKey, 256);
    assert.equal(hex(ab), hex(ba));
    assert.equal(ab.byteLength, 32);
  }
});

test("wrapKey and unwrapKey", async () => {
  const wrapping = await subtle.generateKey({ name: "AES-KW", length: 256 }, true, ["wrapKey", "unwrapKey"]);
  const key = await subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt", "decrypt"]);
  const wrapped = await subtle.wrapKey("raw", key, wrapping, "AES-KW");
  const back = await subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-GCM", true, ["encrypt"]);
  assert.equal(hex(await subtle.exportKey("raw", back)), hex(await subtle.exportKey("raw", key)));
});

test("timingSafeEqual and DigestStream of workers", async () => {
  assert.equal(subtle.timingSafeEqual(text.encode("abc"), text.encode("abc")), true);
  assert.equal(subtle.timingSafeEqual(text.encode("abc"), text.encode("abd")), false);
  const stream = new crypto.DigestStream("SHA-256");
  const writer = stream.getWriter();
  await writer.write(text.encode("abc"));
  await writer.close();
  assert.equal(hex(await stream.digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("DigestStream: MD5, text, sizes, pipes", async () => {
  const stream = new crypto.DigestStream({ name: "md5" });
  assert.equal(stream instanceof WritableStream, true);
  const writer = stream.getWriter();
  await writer.write("a");
  await writer.write(text.encode("bc").buffer);
  assert.equal(stream.bytesWritten, 3n);
  await writer.close();
  assert.equal(hex(await stream.digest), "900150983cd24fb0d6963f7d28e17f72");
  const piped = new crypto.DigestStream("SHA-1");
  await new Response("abc").body.pipeTo(piped);
  assert.equal(hex(await piped.digest), "a9993e364706816aba3e25717850c26c9cd0d89d");
});

test("DigestStream: what ends without a digest", async () => {
  const aborted = new crypto.DigestStream("SHA-256");
  await aborted.abort(new Error("no more"));
  await assert.rejects(aborted.digest, { message: "no more" });
  assert.throws(() => new crypto.DigestStream("SHA-9"), { name: "NotSupportedError" });
});

test("MD5 is for digests only", async () => {
  await assert.rejects(async () => subtle.importKey("raw", text.encode("key"), { name: "HMAC", hash: "MD5" }, false, ["sign"]), { name: "NotSupportedError" });
});
