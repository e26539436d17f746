// The calls of the host, through the routes of `selftest` that try them.

import { answers, compare, equal, flow } from "./expect.mjs";
import { ask, withOrigin } from "./server.mjs";
import { connect } from "./websocket.mjs";

const NEXT_YEAR = Date.UTC(2100, 0, 1);
const query = (values) => values.map((value) => `p=${encodeURIComponent(value)}`).join("&");
const sql = (statement, parameters, wanted) => answers(`POST /do/sql/sql?${query(parameters)}`, { body: statement }, wanted);

const storage = [
  sql("SELECT", [], { status: 500, has: "incomplete input" }),
  sql("SELECT * FROM missing", [], { status: 500, has: "missing" }),
  sql("SELECT ? AS a", [], { status: 500 }),
  sql("CREATE TABLE all_kinds (a, b, c, d, e, f)", [], { has: '{"columns":[],"rows":[],' }),
  sql("INSERT INTO all_kinds VALUES (?, ?, ?, ?, ?, ?)", ["i:9007199254740991", "f:-1.5", "s:ü'\"\n", "b:00ff80", "t:1", "n:"], { json: { columns: [], rows: [], written: 1 } }),
  sql("INSERT INTO all_kinds VALUES (?, ?, ?, ?, ?, ?)", ["i:-1", "f:1e300", "s:", "b:", "t:0", "s:x"], { json: { columns: [], rows: [], written: 1 } }),
  sql("SELECT * FROM all_kinds ORDER BY rowid", [], {
    near: { columns: ["a", "b", "c", "d", "e", "f"], rows: [[9007199254740991, -1.5, "ü'\"\n", "hex:00ff80", 1, null], [-1, 1e300, "", "hex:", 0, "x"]], written: 0 },
  }),
  sql("SELECT a FROM all_kinds WHERE a = ?", ["i:5"], { json: { columns: ["a"], rows: [], written: 0 } }),
  answers("POST /sql", { body: "SELECT 1" }, { status: 500 }),
  flow("lists from a start, backwards, without values, and as long as asked", async (server) => {
    for (const key of ["a1", "a2", "a3", "b1"]) compare(await ask(server, `POST /do/lists/keep?key=${key}`, { body: `of ${key}` }), { text: "kept" });
    const lists = {
      "prefix=a&limit=10&flags=0": [["a1", "of a1"], ["a2", "of a2"], ["a3", "of a3"]],
      "prefix=a&limit=2&flags=0": [["a1", "of a1"], ["a2", "of a2"]],
      "prefix=&limit=10&flags=3": [["b1", ""], ["a3", ""], ["a2", ""], ["a1", ""]],
      "prefix=a&start=a2&limit=10&flags=2": [["a2", ""], ["a3", ""]],
      "prefix=a&start=a2&limit=10&flags=6": [["a3", ""]],
      "prefix=c&limit=10&flags=0": [],
    };
    for (const [how, json] of Object.entries(lists)) compare(await ask(server, `GET /do/lists/list?${how}`), { json });
  }),
  flow("an alarm is set, read and deleted; the worker has none", async (server) => {
    compare(await ask(server, `POST /do/alarms/alarm?at=${NEXT_YEAR}`), { text: `${NEXT_YEAR}` });
    compare(await ask(server, "POST /do/alarms/alarm"), { text: "none" });
    equal((await ask(server, `POST /alarm?at=${NEXT_YEAR}`)).status, 500, "status in the worker");
  }),
  flow("an object knows who it is, the worker is no one", async (server) => {
    const [id, ...names] = JSON.parse((await ask(server, "GET /do/who/object")).text);
    equal(/^[0-9a-f]{64}$/.test(id), true, `an id: ${id}`);
    equal(names, ["who", "HANDLER"], "name and namespace");
    compare(await ask(server, "GET /object"), { json: [null, null, null] });
  }),
  flow("a line of the log", async (server) => {
    compare(await ask(server, "POST /do/log/log", { body: "a line for the log" }), { text: "logged" });
    await server.logs("a line for the log");
  }),
];

const fetching = [
  answers("POST /fetch?url=nonsense", {}, { status: 500, has: "nonsense" }),
  flow("a fetch has a method, headers and a body, and so has its answer", (server) => withOrigin(async (origin) => {
    compare(await ask(server, `POST /fetch?url=${origin}/request`, { body: "the body" }), { json: [[200, "PATCH by a handler the body"], [0, "here"]] });
    compare(await ask(server, `POST /do/fetch/fetch?url=${origin}/status/418`), { json: [[418, "status"], [0, "here"]] });
  })),
  flow("many fetches, one of which fails", (server) => withOrigin(async (origin) => {
    const urls = [`${origin}/a`, "http://127.0.0.1:1/", `${origin}/status/404`];
    const [a, failed, status] = JSON.parse((await ask(server, "POST /fetch-many", { body: urls.join("\n") })).text);
    equal([a, failed[0], status], [[200, "a"], 0, [404, "status"]], "results");
    equal(failed[1].length > 0, true, "a reason");
    compare(await ask(server, "POST /fetch-many", { body: "" }), { json: [] });
    const sixty = Array.from({ length: 64 }, (_, i) => `${origin}/n${i}`);
    compare(await ask(server, "POST /fetch-many", { body: sixty.join("\n") }), { json: sixty.map((_, i) => [200, `n${i}`]) });
  })),
  flow("a fan-out comes with the request, and none with the next", (server) => withOrigin(async (origin) => {
    const urls = query([`${origin}/together/one`, `${origin}/together/two`, `${origin}/status/404`, "http://127.0.0.1:1/"]);
    for (const base of ["", "/do/fanout"]) {
      compare(await ask(server, `GET ${base}/fanout?${urls}`), { json: [[200, "one"], [200, "two"], [404, ""], [0, ""]] });
      compare(await ask(server, `GET ${base}/fanout`), { json: [] });
    }
  })),
];

const sockets = [
  flow("a WebSocket that is refused gets status and text", async (server) => {
    equal(await connect(server, "/do/rooms/refused"), { status: 418, text: "refused" }, "answer");
  }),
  flow("a WebSocket: greeting, attachment, list, sending, closing", async (server) => {
    const a = await connect(server, "/do/rooms/a");
    equal(await a.next(), "welcome", "greeting");
    const says = async (socket, command, ...messages) => {
      socket.send(command);
      for (const message of messages) equal(show(await socket.next()), show(message), command);
    };
    await says(a, "attachment", "none");
    await says(a, "attach to a", "attached");
    await says(a, "attachment", "to a");
    await says(a, "list", "1 newest");
    const b = await connect(server, "/do/rooms/b");
    equal(await b.next(), "welcome", "greeting");
    await says(b, "attachment", "none");
    await says(b, "list", "2 newest");
    await says(a, "list", "2 older");
    await says(a, "send a word", "a word", Buffer.from("a word"));
    await says(a, Buffer.from([0, 255]), Buffer.from([0, 255]));
    await says(b, "close 3001", { code: 3001, reason: "as asked" });
    b.end();
    const c = await connect(server, "/do/rooms/c");
    equal(await c.next(), "welcome", "greeting");
    c.close(4000);
    equal((await c.next()).code, 4000, "close");
    c.end();
    equal([await a.next(), await a.next()], ["3001 clean ", "4000 clean "], "close events");
    a.end();
  }),
];

function show(message) {
  return Buffer.isBuffer(message) ? `bytes ${message.toString("hex")}` : JSON.stringify(message);
}

export const host = [...storage, ...fetching, ...sockets];
