// An auction house. Each lot is an object of its own, which keeps its bids, tells whoever watches, and ends itself by alarm.

import { DurableObject, RpcTarget } from "cloudflare:workers";

/// A bid in the last seconds makes the auction longer, so that the others can answer.
const LAST_CALL_MS = 1000;

/// One lot. It is reached by a unique id: who knows the id may bid.
export class Lot extends DurableObject {
  watchers = new Set();

  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.kv = ctx.storage.kv;
    this.sql.exec("CREATE TABLE IF NOT EXISTS bid (amount INTEGER PRIMARY KEY, who TEXT NOT NULL)");
  }

  async open(title, seconds) {
    this.kv.put("title", title);
    await this.ctx.storage.setAlarm(Date.now() + seconds * 1000);
    await this.hall.note(this.id, title, "open");
  }

  /// A seat at the auction: the caller holds it and bids through it.
  join(who) {
    return new Seat(this, who);
  }

  state() {
    const [highest] = this.sql.exec("SELECT who, amount FROM bid ORDER BY amount DESC LIMIT 1");
    return { title: this.kv.get("title"), open: !this.kv.get("over"), highest: highest ?? null };
  }

  async bid(who, amount) {
    const { open, highest } = this.state();
    if (!open) return { accepted: false, why: "the auction is over" };
    if (!(amount > (highest?.amount ?? 0))) return { accepted: false, why: `the highest bid is ${highest?.amount ?? 0}` };
    this.sql.exec("INSERT INTO bid (amount, who) VALUES (?, ?)", amount, who);
    const end = await this.ctx.storage.getAlarm();
    await this.ctx.storage.setAlarm(Math.max(end, Date.now() + LAST_CALL_MS));
    this.tell(`${who} bids ${amount}`);
    return { accepted: true };
  }

  /// What was bid, and then what is bid, one line each, until the lot is sold.
  watch() {
    const lines = [...this.sql.exec("SELECT who, amount FROM bid ORDER BY amount")].map(({ who, amount }) => `${who} bids ${amount}`);
    let watcher;
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        watcher = controller;
        for (const line of lines) watcher.enqueue(bytesOf(line));
        if (!this.kv.get("over")) return void this.watchers.add(watcher);
        watcher.enqueue(bytesOf(this.kv.get("over")));
        watcher.close();
      },
      cancel: () => this.watchers.delete(watcher),
    });
  }

  /// Runs once when the time is over, even if the server was down then.
  async alarm() {
    const { title, highest } = this.state();
    const result = highest ? `sold to ${highest.who} for ${highest.amount}` : "not sold";
    this.kv.put("over", result);
    await this.hall.note(this.id, title, result);
    this.tell(result);
    for (const watcher of this.watchers) watcher.close();
    this.watchers.clear();
  }

  tell(line) {
    for (const watcher of this.watchers) watcher.enqueue(bytesOf(line));
  }

  get id() { return String(this.ctx.id); }
  get hall() { return this.env.HALL.getByName("the hall"); }
}

/// What `join` gives: a reference to this very lot, with the bidder's name in it.
class Seat extends RpcTarget {
  #lot; #who;
  constructor(lot, who) { super(); this.#lot = lot; this.#who = who; }
  bid(amount) { return this.#lot.bid(this.#who, amount); }
}

/// The board in the hall: one object, reached by its name, that knows how each lot stands.
export class Hall extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS lot (id TEXT PRIMARY KEY, title TEXT, state TEXT)");
  }
  note(id, title, state) { this.ctx.storage.sql.exec("INSERT OR REPLACE INTO lot VALUES (?, ?, ?)", id, title, state); }
  board() { return [...this.ctx.storage.sql.exec("SELECT title, state FROM lot ORDER BY title")]; }
}

const bytesOf = (line) => new TextEncoder().encode(`${line}\n`);

export default {
  async fetch(request, env) {
    const [, lots, id, what] = new URL(request.url).pathname.split("/");
    const route = `${request.method} ${lots}${id ? "/ID" : ""}${what ? `/${what}` : ""}`;
    if (route === "GET lots") return Response.json(await env.HALL.getByName("the hall").board());
    if (route === "POST lots") {
      const { title, seconds } = await request.json();
      const unique = env.LOT.newUniqueId();
      await env.LOT.get(unique).open(title, seconds);
      return new Response(String(unique));
    }
    const lot = id && lotOf(env, id);
    if (lot && route === "GET lots/ID") return Response.json(await lot.state());
    if (lot && route === "GET lots/ID/live") return new Response(await lot.watch());
    if (lot && route === "POST lots/ID/bids") {
      const { who, amount } = await request.json();
      return Response.json(await lot.join(who).bid(amount)); // one round trip: `bid` is called on the promise of a seat
    }
    return new Response("there is no such lot\n", { status: 404 });
  },
};

/// Ids carry a signature, so those that this namespace did not make are refused.
function lotOf(env, id) {
  try {
    return env.LOT.get(env.LOT.idFromString(id));
  } catch {
    return undefined;
  }
}
