// The worker that the tests drive. A path is /<group>/<what>; the group's name says its options: "name,limit=2,reservationMs=50".
// The request id is the query's `id`. What is not for the Replica begins with "/<group>/-".

import { DurableObject } from "cloudflare:workers";
import { Group, Replica, identify } from "dolmen:groups";

const optionsOf = (ctx) => new URLSearchParams(ctx.id.name.split(",").slice(1).join("&"));

// Tells when the alarm of a Group has run, without giving the Group an alarm of its own.
const { alarm } = Group.prototype;
Group.prototype.alarm = async function (...info) {
  await alarm.apply(this, info);
  this.changed?.();
};

/// A Group that can be watched and broken.
export class Lobby extends Group {
  #options = optionsOf(this.ctx);
  #watchers = new Set();
  #failures = 0;
  #signal;
  limit = Number(this.#options.get("limit") ?? 2);
  reservationMs = Number(this.#options.get("reservationMs") ?? 60_000);
  made = 0;
  born = crypto.randomUUID();

  link(env) {
    return { child: this.ctx.id.name.includes("standard") ? env.STANDARD_ROOM : env.ROOM, self: env.LOBBY };
  }

  async clusterize(req, target) {
    this.made += 1;
    const how = this.#options.get("clusterize");
    if (how === "one") return target.idFromName(this.ctx.id.name);
    if (how === "fails" && this.made === 1) throw new Error("no Replica today");
    if (how === "slow") await this.env.CLOCK.getByName("clock").tick();
    if (how === "knows" && !req.headers.get("x-dog-client-identifier")) throw new Error("who asks?");
    return super.clusterize(req, target);
  }

  async receive(req) {
    return this.#options.has("default") ? super.receive(req) : new Response(`group got ${new URL(req.url).pathname}`);
  }

  async $report(report) {
    if (this.#failures > 0) {
      this.#failures -= 1;
      throw new Error("a report is refused");
    }
    const answer = await super.$report(report);
    this.changed();
    return answer;
  }

  async $cancel(ticket) {
    await super.$cancel(ticket);
    this.changed();
  }

  changed() {
    for (const watcher of this.#watchers) watcher();
  }

  /// The places taken, as they are in the database now.
  places() {
    return this.ctx.storage.sql.exec("SELECT id, used, (SELECT count(*) FROM dog_place WHERE replica = n) AS rows FROM dog_replica ORDER BY n").toArray();
  }

  /// So many request ids come and go. Returns how many of them are remembered.
  crowd(count) {
    const { sql } = this.ctx.storage;
    sql.exec("INSERT INTO dog_place (ticket, request, replica) WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ?) SELECT i, i, 1 FROM c", count);
    sql.exec("DELETE FROM dog_place WHERE ticket GLOB '[0-9]*' AND length(ticket) < 20");
    return sql.exec("SELECT count(*) AS remembered FROM dog_seen").one().remembered;
  }

  /// Resolves once so many places are taken in all.
  async taken(total) {
    await this.#when(() => this.places().reduce((all, { used }) => all + used, 0) === total);
  }

  // A request of the worker waits in `signalled` until the driver, which waits in `waiting` for it, calls `go`.
  async signalled() {
    this.#signal = "waited for";
    this.changed();
    await this.#when(() => this.#signal === "given");
  }

  async waiting() {
    await this.#when(() => this.#signal === "waited for");
  }

  /// Resolves once a request id has no place.
  async gone(request) {
    await this.#when(() => this.ctx.storage.sql.exec("SELECT 1 FROM dog_place WHERE request = ?", request).toArray().length === 0);
  }

  /// As if the clock of the Replicas went back.
  ahead() {
    this.ctx.storage.sql.exec("UPDATE dog_replica SET life = life + 1000000000");
  }

  go() {
    this.#signal = "given";
    this.changed();
  }

  async #when(fits) {
    if (fits()) return;
    await new Promise((resolve) => {
      const watcher = () => {
        if (!fits()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  state() {
    return { born: this.born, made: this.made };
  }

  refuseReports(count) {
    this.#failures = count;
  }

  async forget() {
    await this.ctx.storage.deleteAll();
  }

  reset() {
    this.ctx.abort("the test resets the Group");
  }
}

/// A Room tells its sockets what happens, and does what they say.
export class Room extends Replica {
  born = crypto.randomUUID();
  heard = [];
  #gates = new Map();
  peerErrors = [];

  constructor(state, env) {
    super(state, env);
    if (state.storage.kv.get("broken")) throw new Error("this Replica does not start");
  }

  link(env) {
    return { parent: env.LOBBY, self: this.bindingOf(env) };
  }

  bindingOf(env) {
    return env.ROOM;
  }

  async receive(req) {
    const url = new URL(req.url);
    const what = url.pathname.split("/").at(-1);
    const body = req.method === "POST" ? JSON.parse(await req.text()) : undefined;
    switch (what) {
      case "ws": return this.connect(req);
      case "twice": return (await this.connect(req), this.connect(req));
      case "lost": return (await this.connect(req), new Response("not a socket"));
      case "own": { const { 0: client, 1: server } = new WebSocketPair(); server.accept(); server.send("own"); return new Response(null, { status: 101, webSocket: client }); }
      case "stripped": return this.connect(new Request(req.url, { headers: [...req.headers].filter(([name]) => !name.startsWith("x-d")) }));
      case "throw": throw new Error("receive throws");
      case "slow": {
        const gate = this.gate(url.searchParams.get("gate"));
        gate.arrive();
        await gate.passed;
        return Response.json({ replica: this.uid });
      }
      case "emit": this.emit(body); return new Response("ok");
      case "broadcast": await this.broadcast(body); return new Response("ok");
      case "whisper": await this.whisper(url.searchParams.get("to"), body); return new Response("ok");
      case "gossip": return Response.json(await this.gossip(body));
      case "headers": return Response.json([...req.headers]);
      default: return Response.json({ replica: this.uid, method: req.method, path: url.pathname, id: req.headers.get("x-dog-client-identifier"), ticket: req.headers.get("x-dolmen-ticket") });
    }
  }

  gate(name) {
    let gate = this.#gates.get(name);
    if (!gate) {
      gate = {};
      gate.passed = new Promise((resolve) => { gate.open = resolve; });
      gate.reached = new Promise((resolve) => { gate.arrive = resolve; });
      this.#gates.set(name, gate);
    }
    return gate;
  }

  async onopen(socket) {
    if (socket.uid === "unwelcome") throw new Error("onopen throws");
    if (socket.uid.startsWith("loud")) await socket.broadcast({ open: socket.uid }, true);
    socket.serializeAttachment({ since: this.born });
    socket.send({ hello: socket.uid, replica: this.uid, born: this.born });
  }

  async onmessage(socket, data) {
    if (typeof data !== "string") return socket.send(data);
    const { act, msg, self, to, code, reason } = JSON.parse(data);
    if (act === "emit") socket.emit(msg, self);
    if (act === "broadcast") await socket.broadcast(msg, self);
    if (act === "whisper") await socket.whisper(to, msg);
    if (act === "gossip") socket.send({ gossip: await this.gossip(msg) });
    if (act === "close") socket.close(code, reason);
    if (act === "state") socket.send({ born: this.born, attachment: socket.deserializeAttachment(), keeps: socket.deserializeAttachment() });
    if (act === "throw") throw new Error("onmessage throws");
    if (act === "sockets") socket.send({ all: this.sockets().map(({ uid }) => uid), own: this.sockets(socket.uid).length, same: this.sockets().includes(socket) });
    if (act === "done") socket.send({ done: msg });
  }

  async onclose(socket) {
    this.heard.push(`close ${socket.uid}`);
    await socket.broadcast({ closed: socket.uid });
  }

  ongossip(msg) {
    if (msg.fails === this.uid) throw new Error("ongossip throws");
    if (msg.nothing) return undefined;
    return { from: this.uid, msg, date: new Date(0) };
  }

  onpeererror(peer, error) {
    this.peerErrors.push({ peer, message: error.message });
  }

  async $deliver(delivery) {
    if (this.deaf) throw new Error("this peer is deaf");
    return super.$deliver(delivery);
  }

  // What the driver asks for directly.
  inside() { return { born: this.born, heard: this.heard, peerErrors: this.peerErrors, sockets: this.sockets().length }; }
  becomeDeaf() { this.deaf = true; }
  async open(name) { this.gate(name).open(); }
  async reached(name) { await this.gate(name).reached; }
  reset() { this.ctx.abort("the test resets the Replica"); }
  async breakForGood() { this.ctx.storage.kv.put("broken", true); await this.ctx.storage.sync(); this.ctx.abort("the test breaks the Replica"); }
  async forget() { await this.ctx.storage.deleteAll(); }
}

/// A Room whose sockets do not hibernate.
export class StandardRoom extends Room {
  hibernation = false;

  bindingOf(env) {
    return env.STANDARD_ROOM;
  }

  async onerror(socket) {
    this.heard.push(`error ${socket.uid}`);
    await socket.broadcast({ failed: socket.uid });
  }
}

/// Lets a clusterize() wait for something outside, so that others come in between.
export class Clock extends DurableObject {
  async tick() { await new Promise((resolve) => setTimeout(resolve, 1)); }
}

export default {
  async fetch(req, env) {
    const url = new URL(req.url);
    const [, name, what] = url.pathname.split("/").map(decodeURIComponent);
    if (!what) return new Response("ready");
    const group = env.LOBBY.idFromName(name);
    const stub = env.LOBBY.get(group);
    const rooms = name.includes("standard") ? env.STANDARD_ROOM : env.ROOM;
    const family = { parent: env.LOBBY, child: rooms };
    const id = url.searchParams.get("id");
    try {
      switch (what) {
        case "-usage": return Response.json(Object.fromEntries(await stub.usage()));
        case "-group": return Response.json((await stub[url.searchParams.get("method")](...JSON.parse(url.searchParams.get("args") ?? "[]"))) ?? null);
        case "-replica": return Response.json((await rooms.get(rooms.idFromString(id))[url.searchParams.get("method")](...JSON.parse(url.searchParams.get("args") ?? "[]"))) ?? null);
        case "-receive": return await stub.fetch(req);
        case "-identify": return Response.json({ replica: (await identify(group, id, family)).id.toString() });
        case "-twice": {
          const replica = await identify(group, id, family);
          const first = await replica.fetch(new Request(`http://room/${name}/first`));
          const second = await replica.fetch(`http://room/${name}/second`, { method: "PUT", headers: { "x-dolmen-ticket": "mine 9999999999999" } });
          return Response.json([await first.json(), await second.json()]);
        }
        case "-late": {
          // The request leaves when the driver says so.
          const replica = await identify(group, id, family);
          await stub.signalled();
          const then = url.searchParams.get("then");
          return await replica.fetch(`http://room/${name}/${then ?? "late"}`, then ? { method: "POST", body: "{}" } : {});
        }
        case "-direct": return await rooms.get(id ? rooms.idFromString(id) : rooms.newUniqueId()).fetch(req);
        case "-race": {
          const ids = JSON.parse(url.searchParams.get("ids"));
          return Response.json(await Promise.all(ids.map(async (one) => (await identify(group, one, family)).id.toString())));
        }
        default: return await (await identify(group, id, family)).fetch(req);
      }
    } catch (error) {
      return new Response(`${error.name}: ${error.message}`, { status: 599 });
    }
  },
};
