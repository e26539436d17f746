// What the example `hello` answers, in every language.

import { ask, withOrigin } from "./server.mjs";
import { connect } from "./websocket.mjs";
import { answers, compare, equal, flow } from "./expect.mjs";

const PLAIN = "text/plain";
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const STATUSES = [200, 201, 400, 401, 403, 404, 409, 418, 500, 503];
/// How long an alarm may take that is due at once.
const ALARM_LIMIT_MS = 20_000;

/// The routes that need nothing of an object: below `base`, of the worker or of an object.
function plain(base) {
  const basic = (text) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString("base64")}` } });
  const who = { status: 401, headers: { "www-authenticate": 'Basic realm="hello"' } };
  return [
    answers(`GET ${base}/auth`, {}, who),
    answers(`GET ${base}/auth`, { headers: { authorization: "Basic ???" } }, who),
    answers(`GET ${base}/auth`, { headers: { authorization: "Bearer abc" } }, who),
    answers(`GET ${base}/auth`, basic("user:password"), { type: PLAIN, text: "user:password" }),
    answers(`GET ${base}/auth`, basic("grün:a:b"), { text: "grün:a:b" }),
    answers(`GET ${base}/`, {}, { type: PLAIN, text: (language) => `hello from ${language}` }),
    answers(`GET ${base}/no/such/path?a=b`, {}, { text: (language) => `hello from ${language}` }),
    answers(`GET ${base}/json`, {}, { type: "application/json", json: (language) => ({ message: "hello", language }) }),
    answers(`GET ${base}/sha256?text=abc`, {}, { type: PLAIN, text: SHA256_OF_ABC }),
    answers(`GET ${base}/sha256?text=`, {}, { text: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }),
    answers(`GET ${base}/upper?text=abc`, {}, { type: PLAIN, text: "ABC" }),
    answers(`GET ${base}/upper?x=1&text=a+b%20c%2Bd%26&text=no`, {}, { text: "A B C+D&" }),
    answers(`GET ${base}/simd`, {}, { json: { sum: 36, dot: 204, scaled: 72 } }),
    answers(`POST ${base}/echo`, { headers: { "content-type": "text/x-odd" }, body: "böd\ny" }, { type: "text/x-odd", text: "böd\ny" }),
    answers(`POST ${base}/echo`, { headers: { "content-type": "text/x-odd" } }, { type: "text/x-odd", text: "" }),
    flow(`POST ${base}/echo gives back every byte, and a megabyte of them`, async (server) => {
      for (const body of [EVERY_BYTE, Buffer.concat(Array(4_096).fill(EVERY_BYTE))]) {
        const { status, bytes } = await ask(server, `POST ${base}/echo`, { headers: { "content-type": "application/octet-stream" }, body });
        equal([status, bytes.equals(body)], [200, true], `status, and whether ${body.length} bytes came back`);
      }
    }),
    answers(`GET ${base}/cookies`, {}, { text: "", cookies: ["a=1", "b=2; Path=/; HttpOnly"] }),
    answers(`GET ${base}/cookies`, { headers: { cookie: "x=1; y=2" } }, { text: "x=1; y=2", cookies: ["a=1", "b=2; Path=/; HttpOnly"] }),
    ...STATUSES.map((status) => answers(`GET ${base}/status/${status}`, {}, { status })),
    answers(`GET ${base}/status/204`, {}, { status: 204, text: "" }),
    answers(`GET ${base}/redirect`, {}, { status: 302, headers: { location: "/" } }),
    answers(`HEAD ${base}/`, {}, { text: "" }),
    flow(`GET ${base}/fetch`, (server) => withOrigin(async (origin) => {
      compare(await ask(server, `GET ${base}/fetch?url=${encodeURIComponent(`${origin}/first`)}`), { text: "first" });
      compare(await ask(server, `GET ${base}/fetch?url=${encodeURIComponent(`${origin}/second`)}`), { text: "second" });
    })),
    flow(`GET ${base}/fetch-both fetches both at the same time`, (server) => withOrigin(async (origin) => {
      const [a, b] = ["one", "two"].map((name) => encodeURIComponent(`${origin}/together/${name}`));
      const { status, text } = await ask(server, `GET ${base}/fetch-both?a=${a}&b=${b}`);
      equal([status, text.trimEnd()], [200, "one\ntwo"], "status and body");
    })),
  ];
}

const keeping = [
  flow("a key that is not there is 404", async (server) => {
    compare(await ask(server, "GET /do/keys/kv/none"), { status: 404 });
    equal((await ask(server, "DELETE /do/keys/kv/none")).status < 500, true, "a delete is no fault");
  }),
  flow("keys: put, get, list, delete", async (server) => {
    for (const name of ["b", "a", "other"]) equal((await ask(server, `PUT /do/keys/kv/${name}`, { body: `value of ${name}` })).status < 300, true, "put");
    await ask(server, "PUT /do/keys/kv/bytes", { body: EVERY_BYTE });
    compare(await ask(server, "GET /do/keys/kv/a"), { text: "value of a" });
    equal((await ask(server, "GET /do/keys/kv/bytes")).bytes.equals(EVERY_BYTE), true, "every byte");
    compare(await ask(server, "GET /do/keys/kv?prefix="), { type: "application/json", json: ["a", "b", "bytes", "other"] });
    compare(await ask(server, "GET /do/keys/kv?prefix=b"), { json: ["b", "bytes"] });
    equal((await ask(server, "DELETE /do/keys/kv/b")).status < 300, true, "delete");
    compare(await ask(server, "GET /do/keys/kv/b"), { status: 404 });
    compare(await ask(server, "GET /do/keys/kv?prefix=b"), { json: ["bytes"] });
    compare(await ask(server, "GET /do/other-keys/kv?prefix="), { json: [] });
  }),
  flow("POST /count counts in SQL, in each object alone", async (server) => {
    for (const wanted of ["1", "2", "3"]) compare(await ask(server, "POST /do/counter/count"), { text: wanted });
    compare(await ask(server, "POST /do/another-counter/count"), { text: "1" });
  }),
  flow("an alarm runs once", async (server) => {
    compare(await ask(server, "GET /do/clock/alarm"), { text: "0" });
    equal((await ask(server, "POST /do/clock/alarm?ms=0")).status < 300, true, "set");
    const end = Date.now() + ALARM_LIMIT_MS;
    let times;
    // There is nothing to wait for but the answer of the object: it is asked until it says so.
    do times = (await ask(server, "GET /do/clock/alarm")).text; while (times === "0" && Date.now() < end);
    equal(times, "1", "alarms");
  }),
  flow("an alarm that is due later does not run now", async (server) => {
    equal((await ask(server, "POST /do/late/alarm?ms=3600000")).status < 300, true, "set");
    compare(await ask(server, "GET /do/late/alarm"), { text: "0" });
  }),
];

const sockets = [
  flow("a WebSocket on /private is refused", async (server) => {
    equal((await connect(server, "/do/sockets/private")).status, 403, "status");
  }),
  flow("a WebSocket echoes texts", async (server) => {
    const socket = await connect(server, "/do/sockets/any/path");
    equal(socket.status, undefined, "refused");
    for (const text of ["one", "zwei ü"]) {
      socket.send(text);
      equal(await socket.next(), `echo: ${text}`, "message");
    }
    socket.close(1000);
    equal((await socket.next()).code, 1000, "close");
    socket.end();
  }),
  flow("/room broadcasts to all others", async (server) => {
    const [a, b, c] = [await connect(server, "/do/hall/room"), await connect(server, "/do/hall/room"), await connect(server, "/do/hall/room")];
    a.send("from a");
    for (const other of [b, c]) equal(await other.next(), "from a", "message");
    // What a gets first is of b, so its own message did not come back.
    b.send("from b");
    for (const other of [a, c]) equal(await other.next(), "from b", "message");
    for (const socket of [a, b, c]) socket.end();
  }),
];

export const hello = [...plain(""), ...plain("/do/plain"), ...keeping, ...sockets];
