// What the example `selftest` answers in the languages that have it: vectors of the standards, then many random inputs
// against Node, whose cryptography and numbers are those of OpenSSL and V8.

import { createCipheriv, createHash, createHmac } from "node:crypto";
import { ask } from "./server.mjs";
import { answers, close, compare, equal, flow } from "./expect.mjs";
import { host } from "./host.mjs";

const RANDOM_SEED = 20_261_121;
const hex = (text) => Buffer.from(text, "hex");

/// Numbers of 32 bits, the same in every run.
function random() {
  let state = RANDOM_SEED;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) | 0;
    return (state ^ (state >>> 13)) >>> 0;
  };
}

function bytes(next, size) {
  return Buffer.from(Array.from({ length: size }, () => next() >>> 24));
}

// ---- Cryptography ----

const KEY = "feffe9928665731c6d6a8f9467308308".repeat(2);
const NONCE = "cafebabefacedbaddecaf888";
const EXTRA = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const PLAIN = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
const SEALED = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";

/// The cases 13 to 16 of the specification of GCM, which are those of AES-256.
const gcm = [
  { key: "00".repeat(32), nonce: "00".repeat(12), extra: "", plain: "", sealed: "", tag: "530f8afbc74536b9a963b4f1c4cb738b" },
  { key: "00".repeat(32), nonce: "00".repeat(12), extra: "", plain: "00".repeat(16), sealed: "cea7403d4d606b6e074ec5d3baf39d18", tag: "d0d1c8a799996bf0265b98b5d48ab919" },
  { key: KEY, nonce: NONCE, extra: "", plain: PLAIN, sealed: SEALED, tag: "b094dac5d93471bdec1a502270e3cc6c" },
  { key: KEY, nonce: NONCE, extra: EXTRA, plain: PLAIN.slice(0, 120), sealed: SEALED.slice(0, 120), tag: "76fc6ece0f4e1768cddf8853bb2d551b" },
];

/// RFC 4231, the cases 1, 2 and 6.
const macs = [
  ["0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [Buffer.from("Jefe").toString("hex"), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  ["aa".repeat(131), "Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"],
];

const digests = [
  ["sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha256", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
  ["sha256", "a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  ["sha512", "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"],
  ["sha512", "a".repeat(1_000_000), "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"],
];

const seal = (path, { key, nonce, extra }) => `POST /${path}?key=${key}&nonce=${nonce}&extra=${extra}`;

const cryptography = [
  ...gcm.flatMap((one) => {
    const sealed = hex(one.sealed + one.tag);
    const refused = Array.from({ length: 16 }, (_, at) => Buffer.from(sealed).fill(sealed[sealed.length - 1 - at] ^ 1, sealed.length - 1 - at, sealed.length - at));
    return [
      ...refused.map((body) => answers(seal("decrypt", one), { body }, { status: 403 })),
      answers(seal("decrypt", one), { body: sealed.subarray(0, 15) }, { status: 403 }),
      answers(seal("decrypt", { ...one, extra: `${one.extra}00` }), { body: sealed }, { status: 403 }),
      answers(seal("decrypt", one), { body: sealed }, { text: one.plain }),
      answers(seal("encrypt", one), { body: hex(one.plain) }, { text: one.sealed + one.tag }),
    ];
  }),
  ...macs.map(([key, body, text]) => answers(`POST /hmac?key=${key}`, { body }, { text })),
  ...digests.map(([hash, body, text]) => answers(`POST /${hash}`, { body }, { text })),
  flow("digests, MACs and seals of all sizes to 300 are those of OpenSSL", async (server) => {
    const next = random();
    for (let size = 0; size <= 300; size++) {
      const [body, key, nonce, extra] = [bytes(next, size), bytes(next, 32), bytes(next, 12), bytes(next, size % 37)];
      for (const hash of ["sha256", "sha512"]) compare(await ask(server, `POST /${hash}`, { body }), { text: createHash(hash).update(body).digest("hex") });
      compare(await ask(server, `POST /hmac?key=${key.toString("hex")}`, { body }), { text: createHmac("sha256", key).update(body).digest("hex") });
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(extra);
      const sealed = Buffer.concat([cipher.update(body), cipher.final(), cipher.getAuthTag()]);
      const names = { key: key.toString("hex"), nonce: nonce.toString("hex"), extra: extra.toString("hex") };
      compare(await ask(server, seal("encrypt", names), { body }), { text: sealed.toString("hex") });
      compare(await ask(server, seal("decrypt", names), { body: sealed }), { text: body.toString("hex") });
    }
  }),
];

// ---- Numbers ----

const NO_NUMBERS = ["", "-", ".", "e5", "1e", "1e+", "1e+-5", "1.2.3", "0x10", "inf", "nan", "1 ", "--1", "1e400", "-1e400", "179769313486231580793e289"];
const EDGES = [
  "0", "-1", "1.", ".5", "+7", "1e-400", "1e23", "9007199254740993", "9007199254740992.5", "9007199254740993.0000000000000000000000001",
  "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308",
  "1.7976931348623158e308", "0.1", "123456789012345678901234567890", "1e21", "1e-7", "0.000001", "4.35", "00012.50e+01", "1797693134862315807e290",
  `0.${"0".repeat(400)}1e400`, `1${"0".repeat(400)}e-400`, `9007199254740993.${"0".repeat(800)}1`, "6.631236846766476e-316", "8.5e-322",
];

function randomDoubles(next, count) {
  const view = new DataView(new ArrayBuffer(8));
  const numbers = [];
  while (numbers.length < count) {
    view.setUint32(0, next());
    view.setUint32(4, next());
    const number = view.getFloat64(0);
    if (Number.isFinite(number)) numbers.push(number);
  }
  return numbers;
}

/// Decimals in the middle between two doubles, exactly, and the two closest to them.
function middles(next, count) {
  const texts = [];
  for (let i = 0; i < count; i++) {
    const mantissa = (2n ** 52n + (BigInt(next()) << 20n) + BigInt(next() >>> 12)) * 2n + 1n;
    const halvings = 1n + BigInt(next() % 250);
    const digits = mantissa * 5n ** halvings;
    texts.push(`${digits}e-${halvings}`, `${digits * 10n + 1n}e-${halvings + 1n}`, `${digits * 10n - 1n}e-${halvings + 1n}`);
  }
  return texts;
}

/// What of a number's decimals counts, without sign, point, exponent and outer zeros.
function significant(text) {
  return text.toLowerCase().split("e")[0].replace(/[-.]/g, "").replace(/^0+|0+$/g, "");
}

async function numbersOf(server, texts) {
  const { status, text } = await ask(server, "POST /numbers", { body: texts.join(",") });
  equal(status, 200, "status");
  // The text of each, because JSON.parse would hide digits that are too many.
  return text.slice(text.indexOf("[") + 1, text.lastIndexOf("]")).split(",");
}

const numbers = [
  flow("what is no number is not read as one", async (server) => {
    for (const text of NO_NUMBERS.slice(1)) equal(await numbersOf(server, [text]), ["null"], `${text} read`);
  }),
  flow("decimals are read as the nearest double, which is written with the fewest digits", async (server) => {
    const next = random();
    const texts = [...EDGES, ...middles(next, 500)];
    for (let power = -1_074; power < 1_024; power++) texts.push(`${2 ** power}`);
    for (const number of randomDoubles(next, 2_000)) texts.push(`${number}`, number.toExponential(next() % 17), number.toPrecision(21));
    for (let i = 0; i < 2_000; i++) texts.push(`${next()}.${next()}`, `${next() % 1_000}e${(next() % 40) - 20}`, `${next()}${next()}${next()}e-${next() % 60}`);
    const got = await numbersOf(server, texts);
    equal(got.length, texts.length, "count");
    texts.forEach((text, i) => {
      const number = Number(text);
      if (Number(got[i]) !== number || significant(got[i]) !== significant(`${number}`)) equal(got[i], `${number}`, text);
    });
  }),
];

// ---- Columns ----

const sum = (of) => of.reduce((all, number) => all + number, 0);
const around = (of) => of.map((number) => number - sum(of) / of.length);
const dot = (a, b) => sum(a.map((number, i) => number * b[i]));

/// What each operation makes of the columns `a` and `b` and the parameters `p` and `q`.
const operations = {
  sum,
  sum_i32: sum,
  dot,
  minmax: (a) => [Math.min(...a), Math.max(...a)],
  stddev: (a) => Math.sqrt(dot(around(a), around(a)) / a.length),
  correlation: (a, b) => dot(around(a), around(b)) / Math.sqrt(dot(around(a), around(a)) * dot(around(b), around(b))),
  add: (a, b) => a.map((number, i) => number + b[i]),
  sub: (a, b) => a.map((number, i) => number - b[i]),
  mul: (a, b) => a.map((number, i) => number * b[i]),
  scale: (a, _, p) => a.map((number) => number * p),
  clamp: (a, _, p, q) => a.map((number) => Math.min(Math.max(number, p), q)),
  map_linear: (a, _, p, q) => a.map((number) => number * p + q),
  normalize: (a) => a.map((number) => (number - Math.min(...a)) / (Math.max(...a) - Math.min(...a))),
};

const columns = Object.entries(operations).map(([name, operation]) => flow(`column ${name}, of every length to 40`, async (server) => {
  const next = random();
  for (let length = 3; length <= 40; length++) {
    // Whole numbers, and large ones for the sum that must not overflow in 32 bits.
    const scale = name === "sum_i32" ? 1 : 4_096;
    const [a, b] = [0, 1].map(() => Array.from({ length }, () => (next() >>> 1) / scale));
    const [p, q] = [100_000.5, 400_000.25];
    const { text } = await ask(server, `POST /column/${name}`, { body: `${p},${q}\n${a.join(",")}\n${b.join(",")}` });
    close(JSON.parse(text), [operation(a, b, p, q)].flat(), `${length} numbers`);
  }
}));

// ---- Decoding ----

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };

const decoding = [
  answers("GET /query?a=%zz&b=%4&c=%&%41=x&=y&&d", {}, { json: [["a", "%zz"], ["b", "%4"], ["c", "%"], ["A", "x"], ["", "y"], ["d", ""]] }),
  answers("GET /query?a=1&a=2+3&b=%C3%BC%26%3D&c=x=y?z", {}, { json: [["a", "1"], ["a", "2 3"], ["b", "ü&="], ["c", "x=y?z"]] }),
  answers("GET /query", {}, { json: [] }),
  answers("GET /query?", {}, { json: [] }),
  answers("POST /named?name=f", { body: "f=1", headers: { "content-type": "text/plain" } }, { json: [] }),
  answers("POST /named?name=f", { body: "e=0&f=%2B+x&f=2", headers: form }, { json: [["form", "+ x"]] }),
  answers("POST /named?name=c", { headers: { cookie: 'xc=0; c="one"; c=two' } }, { json: [["cookie", "one"]] }),
  answers("POST /named?name=X-Odd", { headers: { "x-odd": "a: b" } }, { json: [["header", "a: b"]] }),
  answers("GET /parts/a%20b/and/%2Fc+d", {}, { json: [["a b", "/c+d"]] }),
  answers("GET /parts//and/c", {}, { status: 404 }),
  answers("GET /parts/a/and/c/d", {}, { status: 404 }),
  answers("GET /parts/a/or/c", {}, { status: 404 }),
  answers("POST /parts/a/and/c", {}, { status: 405, headers: { allow: "GET" } }),
  answers("GET /header?name=x-odd&value=a%0d%0aset-cookie:%20b", {}, { status: 500, has: "x-odd", cookies: [] }),
  answers("GET /header?name=x%20odd&value=a", {}, { status: 500, has: "x odd" }),
  answers("GET /header?name=&value=a", {}, { status: 500 }),
  answers("GET /header?name=x-odd&value=a%20b", {}, { text: "sent", headers: { "x-odd": "a b" } }),
  flow("JSON strings: every byte, and bytes that are not UTF-8", async (server) => {
    const bad = ["80", "c0af", "c3", "e0809f", "eda080", "f08080af", "f4908080", "ff", "61e282", "e282ac62", "f09f98"].map(hex);
    const good = ["", '"\\/\b\f\n\r\t\u0000\u001f\u007f', "ü€😀\u2028", String.fromCodePoint(0x10ffff, 0xd7ff, 0xe000, 0x800, 0x80)].map((text) => Buffer.from(text));
    // How many characters stand for broken bytes may differ, but not which bytes are broken.
    const utf8 = new TextDecoder("utf-8", { fatal: true });
    const shown = (text) => text.replaceAll(/\ufffd+/g, "?");
    for (const body of [...bad, ...good]) {
      const { bytes } = await ask(server, "POST /json", { body });
      equal(shown(JSON.parse(utf8.decode(bytes))), shown(body.toString()), body.toString("hex"));
    }
  }),
];

// ---- Memory ----

const memory = [
  flow("a panic is an answer, in words in the log, and the next request is served", async (server) => {
    compare(await ask(server, "GET /do/panic/panic"), { status: 500, has: "panic: " });
    await server.logs("as it was asked to");
    compare(await ask(server, "POST /do/panic/json", { body: "a" }), { json: "a" });
  }),
  flow("the memory of an object is the same after thousands of requests of many sizes", async (server) => {
    const work = async (rounds) => {
      for (let round = 0; round < rounds; round++) {
        const body = "é\n".repeat(1 << (round % 18));
        equal((await ask(server, "POST /do/memory/json", { body })).status, 200, "status");
        equal((await ask(server, "POST /do/memory/numbers", { body: "1,".repeat(round) })).status, 200, "status");
      }
      return (await ask(server, "GET /do/memory/memory")).text;
    };
    const before = await work(36);
    equal(await work(1_000), before, "bytes");
  }),
  flow("a heap of lasting blocks stays whole, and no larger after many rounds of the same", async (server) => {
    const sizes = [];
    for (let round = 0; round < 10; round++) {
      const { status, text } = await ask(server, "POST /do/heap/heap");
      equal(status, 200, text);
      sizes.push(Number(text));
    }
    equal(sizes.at(-1), sizes[1], `the last of ${sizes}`);
  }),
];

export const selftest = [...cryptography, ...numbers, ...columns, ...decoding, ...memory, ...host];
