// Writes what objects can keep, and checks that it is all there: exchange.mjs runs it on one server after the other, over
// the same folder. A round is one phase of writing; each round writes anew, and changes and deletes some of the one before.

import { DurableObject } from "cloudflare:workers";
import { canonical, graph, samples } from "./values.mjs";

const NAMES = ["", "plain", "a/b?c#d %41", "\0", "ünïcode 🏔", "x".repeat(1024), "y".repeat(1025)];
const LONGEST_KNOWN_NAME = 1024;
const FAR = Date.UTC(2100, 0, 1);
const MANY_KEYS = 500;

/// Collects what is not as it must be.
class Findings {
  problems = [];
  checks = 0;
  equal(what, actual, expected) {
    this.checks += 1;
    const [got, wanted] = [canonical(actual), canonical(expected)];
    if (got === wanted) return;
    const at = [...got].findIndex((_, i) => got[i] !== wanted[i]);
    const from = Math.max(0, at - 60);
    this.problems.push(`${what}: expected …${wanted.slice(from, at + 100)}…, got …${got.slice(from, at + 100)}…`);
  }
  get report() { return { problems: this.problems, checks: this.checks }; }
}

/// Key-value storage, asynchronous and synchronous.
export class Keeper extends DurableObject {
  async write(round) {
    const { storage } = this.ctx;
    const values = samples();
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) await storage.put(`${round}/async/${name}`, value);
      storage.kv.put(`${round}/sync/${name}`, value ?? null);
    }
    await storage.put({ [`${round}/both/a`]: 1, [`${round}/both/b`]: [2], "é/語/🏔": round, last: round });
    for (let i = 0; i < MANY_KEYS; i++) storage.kv.put(`${round}/many/${String(i).padStart(4, "0")}`, { i });
    await storage.put(`${round}/gone`, "soon");
    await storage.delete(`${round}/gone`);
    if (round > 1) storage.kv.delete(`${round - 1}/both/a`);
    await storage.put("name", this.ctx.id.name ?? null);
  }

  async check(round) {
    const { storage } = this.ctx;
    const find = new Findings();
    for (let r = 1; r <= round; r++) {
      for (const [name, value] of Object.entries(samples())) {
        find.equal(`round ${r}, async ${name}`, await storage.get(`${r}/async/${name}`), value);
        find.equal(`round ${r}, sync ${name}`, storage.kv.get(`${r}/sync/${name}`), value ?? null);
          }
      const kept = r < round ? ["b"] : ["a", "b"];
      find.equal(`round ${r}, list`, [...(await storage.list({ prefix: `${r}/both/` })).keys()], kept.map((key) => `${r}/both/${key}`));
      const many = [...storage.kv.list({ prefix: `${r}/many/`, reverse: true, limit: 3 })].map(([key, value]) => [key.slice(-4), value]);
      find.equal(`round ${r}, many`, many, [["0499", { i: 499 }], ["0498", { i: 498 }], ["0497", { i: 497 }]]);
      find.equal(`round ${r}, count`, (await storage.list({ prefix: `${r}/many/` })).size, MANY_KEYS);
      find.equal(`round ${r}, each way reads the other's`, [await storage.get(`${r}/sync/map`), storage.kv.get(`${r}/async/map`)].map(canonical), Array(2).fill(canonical(samples().map)));
      find.equal(`round ${r}, deleted`, await storage.get(`${r}/gone`), undefined);
    }
    find.equal("overwritten", await storage.get(["last", "é/語/🏔"]), new Map([["last", round], ["é/語/🏔", round]]));
    find.equal("name", await storage.get("name"), this.ctx.id.name ?? null);
    return find.report;
  }

  /// For named and unique ids: who am I?
  mark(text) { this.ctx.storage.kv.put("mark", { text, name: this.ctx.id.name ?? null }); }
  marked() { return { id: String(this.ctx.id), name: this.ctx.id.name ?? null, mark: this.ctx.storage.kv.get("mark") ?? null }; }
}

/// Tables, indexes, triggers, full-text search.
export class Ledger extends DurableObject {
  rows(round) {
    return [
      { name: `null ${round}`, price: null, stock: null, picture: null },
      { name: `é 語 🏔 ${round}`, price: 0.1, stock: 2 ** 40 + round, picture: new Uint8Array([0, 1, 255]).buffer },
      { name: `large ${round}`, price: -1.5e300, stock: -1, picture: new Uint8Array(300_000).fill(round).buffer },
      { name: `empty ${round}`, price: 2, stock: 0, picture: new ArrayBuffer(0) },
    ];
  }

  write(round) {
    const { sql } = this.ctx.storage;
    sql.exec(`
      CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, price REAL, stock INTEGER,
        picture BLOB, worth REAL GENERATED ALWAYS AS (price * stock) STORED);
      CREATE INDEX IF NOT EXISTS item_stock ON item (stock DESC) WHERE stock IS NOT NULL;
      CREATE INDEX IF NOT EXISTS item_upper ON item (upper(name));
      CREATE TABLE IF NOT EXISTS any_kind (at TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS sale (item INTEGER REFERENCES item (id) ON DELETE CASCADE, at INTEGER, note TEXT COLLATE NOCASE);
      CREATE TABLE IF NOT EXISTS counted (what TEXT PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0);
      CREATE TRIGGER IF NOT EXISTS sale_counted AFTER INSERT ON sale BEGIN
        INSERT INTO counted VALUES ('sales', 1) ON CONFLICT DO UPDATE SET n = n + 1;
      END;
      CREATE VIEW IF NOT EXISTS sold AS SELECT item.name, count(*) AS n FROM sale JOIN item ON item.id = sale.item GROUP BY 1;
      CREATE VIRTUAL TABLE IF NOT EXISTS page USING fts5 (title, body, tokenize = 'porter unicode61');`);
    for (const row of this.rows(round)) {
      const { id } = sql.exec("INSERT INTO item (name, price, stock, picture) VALUES (?, ?, ?, ?) RETURNING id", row.name, row.price, row.stock, row.picture).one();
      sql.exec("INSERT INTO sale VALUES (?, ?, ?)", id, FAR, `Note ${round}`);
      sql.exec("INSERT INTO page VALUES (?, ?)", row.name, `Standing stones of round${round}, an ancient dolmen`);
    }
    const kinds = [null, 1, 1.5, "text", new Uint8Array([round]).buffer];
    kinds.forEach((value, i) => sql.exec("INSERT INTO any_kind VALUES (?, ?)", `${round}/${i}`, value));
    if (round > 1) sql.exec("DELETE FROM item WHERE name = ?", `empty ${round - 1}`);
  }

  check(round) {
    const { sql } = this.ctx.storage;
    const find = new Findings();
    const all = (query, ...values) => [...sql.exec(query, ...values)];
    const rounds = Array.from({ length: round }, (_, i) => i + 1);
    const expected = rounds.flatMap((r) => this.rows(r).map((row, i) => ({ id: (r - 1) * 4 + i + 1, ...row, worth: row.price === null ? null : row.price * row.stock })))
      .filter((row) => !rounds.slice(0, -1).some((r) => row.name === `empty ${r}`));
    find.equal("rows", all("SELECT * FROM item ORDER BY id"), expected);
    const stocked = expected.filter((row) => row.stock !== null).sort((a, b) => b.stock - a.stock || a.id - b.id);
    find.equal("partial index", all("SELECT stock FROM item INDEXED BY item_stock WHERE stock IS NOT NULL ORDER BY stock DESC").map((row) => row.stock), stocked.map((row) => row.stock));
    find.equal("index on an expression", all("SELECT id FROM item INDEXED BY item_upper WHERE upper(name) = ?", `LARGE ${round}`).length, 1);
    find.equal("types", all("SELECT typeof(value) AS t FROM any_kind WHERE at LIKE ? ORDER BY at", `${round}/%`).map((row) => row.t), ["null", "real", "real", "text", "blob"]);
    find.equal("view, cascade", all("SELECT sum(n) AS n FROM sold")[0].n, expected.length);
    find.equal("trigger", all("SELECT n FROM counted")[0].n, 4 * round);
    find.equal("collation", all("SELECT count(*) AS n FROM sale WHERE note = 'NOTE 1'")[0].n, round > 1 ? 3 : 4);
    find.equal("full text, stemmed", all("SELECT count(*) AS n FROM page WHERE page MATCH 'stone AND dolmens'")[0].n, 4 * round);
    find.equal("full text of one round", all("SELECT title FROM page WHERE page MATCH ? ORDER BY rowid", `round${round}`).map((row) => row.title), this.rows(round).map((row) => row.name));
    find.equal("schema", all("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'page_%' AND name NOT GLOB '_cf_*' AND name NOT LIKE 'sqlite_%' ORDER BY name").map((row) => row.name),
      ["any_kind", "counted", "item", "page", "sale", "sold"]);
    find.equal("quick check", all("PRAGMA quick_check"), [{ quick_check: "ok" }]);
    sql.exec("INSERT INTO page (page) VALUES ('integrity-check')");
    return find.report;
  }
}

/// Alarms: far away, due soon, moved, deleted.
export class Clock extends DurableObject {
  async far() { await this.ctx.storage.setAlarm(FAR); }
  async moved() {
    await this.ctx.storage.setAlarm(Date.now() + 1000);
    await this.ctx.storage.setAlarm(new Date(FAR));
  }
  async deleted() {
    await this.ctx.storage.setAlarm(Date.now() + 1000);
    await this.ctx.storage.deleteAlarm();
  }
  async soon(at) {
    this.ctx.storage.kv.delete("rang");
    await this.ctx.storage.setAlarm(at);
  }
  next() { return this.ctx.storage.getAlarm(); }
  rang() { return this.ctx.storage.kv.get("rang") ?? null; }
  alarm({ isRetry, retryCount, scheduledTime }) {
    this.ctx.storage.kv.put("rang", { at: Date.now(), name: this.ctx.id.name ?? null, isRetry, retryCount, scheduledTime, before: this.rang() });
  }
}

/// Random values: what one server wrote, the other reads, compares and writes back as it understood it.
export class Grapher extends DurableObject {
  write(seed, count) {
    for (let i = 0; i < count; i++) this.ctx.storage.kv.put(`made/${i}`, graph(seed + i));
  }

  async check(seed, count, from) {
    const { storage } = this.ctx;
    const find = new Findings();
    for (let i = 0; i < count; i++) {
      const value = i % 2 === 0 ? storage.kv.get(`${from}/${i}`) : await storage.get(`${from}/${i}`);
      find.equal(`the value of seed ${seed + i}, ${from}`, value, graph(seed + i));
      if (from === "made") storage.kv.put(`read/${i}`, value);
    }
    return find.report;
  }
}

const actions = {
  async write(env, { round, unique }) {
    const ids = { named: {}, unique: [] };
    for (const name of NAMES) {
      const id = env.KEEPER.idFromName(name);
      ids.named[name] = String(id);
      await env.KEEPER.get(id).mark(`of ${name.slice(0, 20)}`);
    }
    for (let i = 0; i < unique; i++) {
      const id = env.KEEPER.newUniqueId();
      ids.unique.push(String(id));
      await env.KEEPER.get(id).mark(`of unique ${i}`);
    }
    await env.KEEPER.getByName("values").write(round);
    await env.LEDGER.getByName("tables").write(round);
    for (const kind of ["far", "moved", "deleted"]) await env.CLOCK.getByName(kind)[kind]();
    const nameless = env.CLOCK.newUniqueId();
    await env.CLOCK.get(nameless).far();
    return { ids, nameless: String(nameless) };
  },

  async check(env, { round, ids, nameless }) {
    const find = new Findings();
    for (const name of NAMES) {
      const id = env.KEEPER.idFromName(name);
      const [shown, known] = [JSON.stringify(name.slice(0, 20)), name.length > LONGEST_KNOWN_NAME ? null : name];
      find.equal(`id of ${shown}`, String(id), ids.named[name]);
      find.equal(`object ${shown}`, await env.KEEPER.get(id).marked(), { id: ids.named[name], name: known, mark: { text: `of ${name.slice(0, 20)}`, name: known } });
    }
    for (const [i, id] of ids.unique.entries()) {
      const marked = await env.KEEPER.get(env.KEEPER.idFromString(id)).marked();
      find.equal(`unique id ${i}`, marked, { id, name: null, mark: { text: `of unique ${i}`, name: null } });
    }
    find.equal("far alarm", await env.CLOCK.getByName("far").next(), FAR);
    find.equal("moved alarm", await env.CLOCK.getByName("moved").next(), FAR);
    find.equal("moved alarm did not ring", await env.CLOCK.getByName("moved").rang(), null);
    find.equal("deleted alarm", await env.CLOCK.getByName("deleted").next(), null);
    find.equal("deleted alarm did not ring", await env.CLOCK.getByName("deleted").rang(), null);
    find.equal("alarm of a unique id", await env.CLOCK.get(env.CLOCK.idFromString(nameless)).next(), FAR);
    const reports = [find.report, await env.KEEPER.getByName("values").check(round), await env.LEDGER.getByName("tables").check(round)];
    return { problems: reports.flatMap((report) => report.problems), checks: reports.reduce((sum, report) => sum + report.checks, 0) };
  },

  async soon(env, { at }) {
    const nameless = env.CLOCK.newUniqueId();
    await Promise.all([env.CLOCK.getByName("soon").soon(at), env.CLOCK.get(nameless).soon(at)]);
    return { nameless: String(nameless) };
  },

  async rang(env, { nameless }) {
    const clocks = [env.CLOCK.getByName("soon"), env.CLOCK.get(env.CLOCK.idFromString(nameless))];
    return Promise.all(clocks.map(async (clock) => ({ rang: await clock.rang(), next: await clock.next() })));
  },

  async makeGraphs(env, { name, seed, count }) {
    await env.GRAPHER.getByName(name).write(seed, count);
    return {};
  },

  checkGraphs(env, { name, seed, count, from }) {
    return env.GRAPHER.getByName(name).check(seed, count, from);
  },
};

export default {
  async fetch(request, env) {
    const action = actions[new URL(request.url).pathname.slice(1)];
    return action ? Response.json(await action(env, await request.json())) : new Response("not found", { status: 404 });
  },
};
