// node:crypto: createCipheriv and createDecipheriv.
import { createCipheriv, createDecipheriv, createSecretKey, getCiphers, getCipherInfo } from "node:crypto";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

const bytes = (hex) => Buffer.from(hex, "hex");
// NIST SP 800-38A.
const KEYS = { 128: "2b7e151628aed2a6abf7158809cf4f3c", 192: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", 256: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4" };
const BLOCKS = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
const IV = "000102030405060708090a0b0c0d0e0f";
const COUNTER = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const CBC = {
  128: "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2",
  192: "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a",
  256: "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
};
const CTR = {
  128: "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff",
  192: "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94",
  256: "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5",
};

for (const bits of [128, 192, 256]) {
  test(`aes-${bits}-cbc and -ctr of SP 800-38A`, () => {
    const cbc = createCipheriv(`aes-${bits}-cbc`, bytes(KEYS[bits]), bytes(IV));
    cbc.setAutoPadding(false);
    assert.equal(cbc.update(BLOCKS, "hex", "hex") + cbc.final("hex"), CBC[bits]);
    const back = createDecipheriv(`aes-${bits}-cbc`, bytes(KEYS[bits]), bytes(IV));
    back.setAutoPadding(false);
    assert.equal(back.update(CBC[bits], "hex", "hex") + back.final("hex"), BLOCKS);
    const ctr = createCipheriv(`aes-${bits}-ctr`, bytes(KEYS[bits]), bytes(COUNTER));
    assert.equal(ctr.update(BLOCKS, "hex", "hex") + ctr.final("hex"), CTR[bits]);
  });
}

test("aes-256-gcm of the GCM specification, case 16", () => {
  const cipher = createCipheriv("aes-256-gcm", bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"), bytes("cafebabefacedbaddecaf888"));
  cipher.setAAD(bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"));
  const plain = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
  // In parts that are no whole blocks.
  const sealed = cipher.update(plain.slice(0, 10), "hex", "hex") + cipher.update(plain.slice(10), "hex", "hex") + cipher.final("hex");
  assert.equal(sealed, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
  assert.equal(cipher.getAuthTag().toString("hex"), "76fc6ece0f4e1768cddf8853bb2d551b");
});

for (const name of ["aes-128-gcm", "aes-256-gcm", "aes-128-cbc", "aes-256-cbc", "aes-128-ctr", "aes-256-ctr"]) {
  test(`${name}: text of every length around a block, in parts, and back`, () => {
    const { keyLength, ivLength, mode } = getCipherInfo(name);
    const [key, iv] = [Buffer.alloc(keyLength, 7), Buffer.alloc(ivLength, 9)];
    for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 100]) {
      const text = "text of blocks, ".repeat(7).slice(0, length);
      const cipher = createCipheriv(name, key, iv);
      const sealed = Buffer.concat([cipher.update(text.slice(0, 5), "utf8"), cipher.update(text.slice(5), "utf8"), cipher.final()]);
      const decipher = createDecipheriv(name, createSecretKey(key), iv);
      if (mode === "gcm") decipher.setAuthTag(cipher.getAuthTag());
      assert.equal(decipher.update(sealed.subarray(0, 7), undefined, "utf8") + decipher.update(sealed.subarray(7), undefined, "utf8") + decipher.final("utf8"), text);
    }
  });
}

test("a character may begin in one part and end in the next", () => {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const sealed = Buffer.concat([cipher.update("né", "utf8"), cipher.final()]);
  const decipher = createDecipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  assert.equal(decipher.update(sealed.subarray(0, 2), undefined, "utf8") + decipher.update(sealed.subarray(2), undefined, "utf8") + decipher.final("utf8"), "né");
});

test("what was changed does not decrypt", () => {
  const key = Buffer.alloc(32, 1);
  const iv = Buffer.alloc(12, 2);
  const seal = (aad) => {
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    cipher.setAAD(Buffer.from(aad));
    return { sealed: Buffer.concat([cipher.update("secret", "utf8"), cipher.final()]), tag: cipher.getAuthTag() };
  };
  const { sealed, tag } = seal("header");
  const open = (sealed, tag, aad) => {
    const decipher = createDecipheriv("aes-256-gcm", key, iv);
    decipher.setAAD(Buffer.from(aad));
    if (tag) decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString();
  };
  assert.equal(open(sealed, tag, "header"), "secret");
  assert.throws(() => open(sealed, tag, "other"));
  assert.throws(() => open(sealed, Buffer.alloc(16), "header"));
  assert.throws(() => open(sealed, undefined, "header"));
  assert.throws(() => open(Buffer.from(sealed.map((byte) => byte ^ 1)), tag, "header"));
  const decipher = createDecipheriv("aes-128-cbc", Buffer.alloc(16), Buffer.alloc(16));
  decipher.update(Buffer.alloc(16));
  assert.throws(() => decipher.final());
});

test("misuse is refused", () => {
  assert.throws(() => createCipheriv("no-such-cipher", "k", "i"), { class: "Error" });
  assert.throws(() => createCipheriv("aes-128-gcm", "short", Buffer.alloc(12)), { message: "Invalid key length" });
  assert.throws(() => createCipheriv("aes-128-cbc", Buffer.alloc(16), Buffer.alloc(3)), { message: "Invalid initialization vector" });
  assert.throws(() => createCipheriv("aes-128-gcm", Buffer.alloc(16), Buffer.alloc(0)), { message: "Invalid initialization vector" });
  const cipher = createCipheriv("aes-128-gcm", Buffer.alloc(16), Buffer.alloc(12));
  assert.throws(() => cipher.getAuthTag());
  cipher.final();
  assert.throws(() => cipher.final());
  assert.throws(() => createCipheriv("aes-128-cbc", Buffer.alloc(16), Buffer.alloc(16)).setAAD(Buffer.alloc(1)));
  const blocks = createCipheriv("aes-128-cbc", Buffer.alloc(16), Buffer.alloc(16));
  blocks.setAutoPadding(false);
  blocks.update(Buffer.alloc(5));
  assert.throws(() => blocks.final());
});

test("a cipher is a stream", async () => {
  const cipher = createCipheriv("aes-128-cbc", Buffer.alloc(16), Buffer.alloc(16));
  const parts = [];
  cipher.on("data", (part) => parts.push(part));
  const ended = new Promise((done) => cipher.on("end", done));
  cipher.write("hello");
  cipher.end();
  await ended;
  assert.equal(Buffer.concat(parts).toString("hex"), "9834ed518cbc8fbe9af3c6ecb75eb8c0");
});

test("which ciphers there are", () => {
  for (const name of ["aes-128-gcm", "aes-256-gcm", "aes-128-cbc", "aes-256-ctr"]) assert.equal(getCiphers().includes(name), true);
  const { keyLength, ivLength, blockSize, mode, nid } = getCipherInfo("aes-128-cbc");
  assert.deepEqual({ keyLength, ivLength, blockSize, mode, nid }, { keyLength: 16, ivLength: 16, blockSize: 16, mode: "cbc", nid: 419 });
  assert.equal(getCipherInfo("no-such-cipher"), undefined);
});
