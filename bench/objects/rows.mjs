// The benchmark's module worker: workerd and Dolmen run this same file. The path says what to do on which object,
// `/<what>/<name>`; every answer is one line of text. A method does one thing, so that a row shows the price of it.
import { DurableObject } from "cloudflare:workers";

const LIST_KEYS = 1_000;
const TABLE_ROWS = 100;
const MESSAGES = 100;

// Some 10 KB when serialized: 100 records of 100 bytes.
const RECORDS = Array.from({ length: 100 }, (_, id) => ({
  id,
  name: `record number ${String(id).padStart(3, "0")}`,
  text: "forty characters that say nothing at all",
  done: id % 2 === 0,
}));

export class Counter extends DurableObject {
  #filled = new Set();
  #puts = 0;

  hello(name) {
    return `hello, ${name}`;
  }

  // Calls the other object of that name.
  pass(other, name) {
    return this.env.COUNTER.getByName(other).hello(name);
  }

  take(records) {
    return records.length;
  }

  read() {
    return this.ctx.storage.kv.get("count") ?? 0;
  }

  increment() {
    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return count;
  }

  async get() {
    this.#fill("get", () => this.ctx.storage.kv.put("key", "value"));
    return await this.ctx.storage.get("key");
  }

  // Another value each time: SQLite writes nothing, and syncs nothing, for a value that is there already.
  async put() {
    this.#puts += 1;
    await this.ctx.storage.put("puts", this.#puts);
    return "put";
  }

  puts() {
    return this.ctx.storage.kv.get("puts") ?? 0;
  }

  async list() {
    this.#fill("list", () => {
      for (let key = 0; key < LIST_KEYS; key++) this.ctx.storage.kv.put(`key ${key}`, `value ${key}`);
    });
    return (await this.ctx.storage.list({ prefix: "key " })).size;
  }

  // The ten rows 46 to 55 of a hundred; their numbers add up to 505.
  select() {
    const { sql } = this.ctx.storage;
    this.#fill("select", () => {
      sql.exec("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)");
      for (let id = 1; id <= TABLE_ROWS; id++) sql.exec("INSERT INTO items VALUES (?, ?)", id, `item ${id}`);
    });
    const rows = sql.exec("SELECT id, name FROM items WHERE id > ? ORDER BY id LIMIT 10", 45).toArray();
    return rows.reduce((sum, row) => sum + row.id, 0);
  }

  insert() {
    const { sql } = this.ctx.storage;
    this.#fill("insert", () => sql.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT)"));
    return sql.exec("INSERT INTO log (text) VALUES (?)", "one line of a log").rowsWritten;
  }

  inserted() {
    return this.ctx.storage.sql.exec("SELECT count(*) AS count FROM log").one().count;
  }

  fetch(request) {
    return new Response(`hello, ${request.method}`, { headers: { "content-type": "text/plain" } });
  }

  // Prepares an object's storage for one row, once in its life.
  #fill(row, write) {
    if (this.#filled.has(row)) return;
    this.#filled.add(row);
    write();
  }
}

// Makes requests and responses as a router does; nothing is sent.
function messages() {
  let made = 0;
  for (let item = 0; item < MESSAGES; item++) {
    const request = new Request(`https://example.com/items/${item}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-item": String(item) },
      body: "{}",
    });
    const response = new Response("stored", { status: 201, headers: { "content-type": "text/plain" } });
    if (request.headers.get("x-item") === String(item) && response.status === 201) made++;
  }
  return made;
}

export default {
  async fetch(request, env) {
    const [, , , what, name] = request.url.split("/");
    if (what === "messages") return new Response(String(messages()));
    const stub = env.COUNTER.getByName(name);
    switch (what) {
      case "page":
        return stub.fetch(request);
      case "hello":
        return new Response(await stub.hello("bench"));
      case "pass":
        return new Response(await stub.pass(`${name}-other`, "bench"));
      case "take":
        return new Response(String(await stub.take(RECORDS)));
      default:
        return new Response(String(await stub[what]()));
    }
  },
};
