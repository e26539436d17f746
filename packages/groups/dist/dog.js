// Durable Object Groups. Made by packages/groups/build.mjs; the sources are in packages/groups/src.
// src/base.ts
import { DurableObject } from "cloudflare:workers";
var Base = DurableObject;

// src/calls.ts
var TimeoutError = class extends Error {
  name = "TimeoutError";
};
async function within(limitMs, what, promise) {
  let timer = null;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`${what} did not answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
function isReset(error) {
  return typeof error === "object" && error !== null && "durableObjectReset" in error && error.durableObjectReset === true;
}
function isBroken(error) {
  return isReset(error) || typeof error === "object" && error !== null && "retryable" in error && error.retryable === true;
}
var Stubs = class {
  #namespace;
  #stubs = /* @__PURE__ */ new Map();
  #idOf;
  /** `idOf` finds the id that hex digits stand for, where it has a name that the object should see. */
  constructor(namespace, idOf = (id, namespace2) => namespace2.idFromString(id)) {
    this.#namespace = namespace;
    this.#idOf = idOf;
  }
  /** Makes `call` on the stub of `id`, and once more on a new stub if the object was reset. */
  async call(id, limitMs, call) {
    let stub = this.#stubs.get(id);
    if (stub === void 0) this.#stubs.set(id, stub = this.#fresh(id));
    try {
      return await within(limitMs, `The object ${id}`, call(stub));
    } catch (error) {
      if (this.#stubs.get(id) === stub) this.#stubs.delete(id);
      if (!isBroken(error)) throw error;
      return within(limitMs, `The object ${id}`, call(this.#fresh(id)));
    }
  }
  #fresh(id) {
    return this.#namespace.get(this.#idOf(id, this.#namespace));
  }
};
async function eachOf(items, width, work) {
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

// src/ledger.ts
var RETRY_FIRST_MS = 100;
var RETRY_LAST_MS = 1e4;
var RETRIES = 10;
var ENDED_LIMIT = 1e4;
var LIFE_KEY = "dog:life";
var Ledger = class {
  #office;
  #live = /* @__PURE__ */ new Map();
  #arrived = /* @__PURE__ */ new Map();
  #ended = /* @__PURE__ */ new Set();
  #life = 0;
  #seq = 0;
  #whole = true;
  #failures = 0;
  #running = false;
  #round;
  #timer = null;
  constructor(office) {
    this.#office = office;
  }
  has(ticket) {
    return this.#live.has(ticket);
  }
  /** A connection that outlived the instance before this one: the Group knows it. */
  resume(ticket, request) {
    this.#live.set(ticket, request);
  }
  /** A connection has come. The Group is told before `fresh` (ms since 1970), when it would look for the ticket in vain. */
  arrive(ticket, request, fresh) {
    this.#live.set(ticket, request);
    this.#arrived.set(ticket, request);
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, fresh - Date.now()));
  }
  /** A connection has ended. Resolves when the Group knows, or could not be told at once. */
  end(ticket) {
    if (!this.#live.delete(ticket)) return Promise.resolve();
    this.#arrived.delete(ticket);
    this.#ended.add(ticket);
    if (this.#ended.size > ENDED_LIMIT) {
      this.#ended.clear();
      this.#whole = true;
    }
    return this.flush();
  }
  /** Everything there is, for a Group that last heard of the life `seen`. */
  audit(seen) {
    this.#claim(seen);
    return this.#report(true);
  }
  /** Tells the Group. Resolves when it knows all that came before this call, or could not be told at once. */
  flush() {
    if (this.#round === void 0) {
      let resolve = () => {
      };
      const promise2 = new Promise((done) => resolve = done);
      this.#round = { promise: promise2, resolve };
    }
    const { promise } = this.#round;
    if (!this.#running) this.#office.keep(this.#run());
    return promise;
  }
  async #run() {
    this.#running = true;
    while (this.#round) {
      const round = this.#round;
      this.#round = void 0;
      clearTimeout(this.#timer);
      this.#timer = null;
      const retry = await this.#send();
      round.resolve();
      if (retry !== void 0) this.#timer ??= setTimeout(() => this.flush(), retry);
    }
    this.#running = false;
  }
  // Returns after how many ms to send again, if it failed or the Group needs more.
  async #send() {
    const report = this.#report(this.#whole);
    try {
      const { whole, unknown, life } = await this.#office.send(report);
      this.#whole = whole;
      this.#claim(life);
      if (!whole) {
        for (const [ticket] of report.arrived) this.#arrived.delete(ticket);
        for (const ticket of report.ended) this.#ended.delete(ticket);
      }
      for (const ticket of unknown) {
        const request = this.#live.get(ticket);
        if (request !== void 0) this.#arrived.set(ticket, request);
      }
      this.#failures = 0;
      return whole || unknown.length > 0 ? 0 : void 0;
    } catch (error) {
      this.#failures += 1;
      console.error(`Replica ${this.#office.replica}: its Group could not be told of its connections:`, error);
      return this.#failures > RETRIES ? void 0 : Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** (this.#failures - 1));
    }
  }
  #report(whole) {
    this.#claim(0);
    const report = {
      replica: this.#office.replica,
      life: this.#life,
      seq: ++this.#seq,
      known: this.#office.known(),
      arrived: [...this.#arrived],
      ended: [...this.#ended]
    };
    return whole ? { ...report, live: [...this.#live.keys()] } : report;
  }
  // This instance's number is above that of any before it: by storage, and by the clock if that was deleted since.
  #claim(seen) {
    if (this.#life !== 0 && this.#life >= seen) return;
    this.#life = Math.max((this.#office.kv.get(LIFE_KEY) ?? 0) + 1, seen + 1, Date.now());
    this.#office.kv.put(LIFE_KEY, this.#life);
  }
};

// src/peers.ts
var PEER_LIMIT_MS = 3e4;
var GROUP_KEY = "dog:group";
var NAME_KEY = "dog:name";
var KNOWN_KEY = "dog:known";
var PEER_PREFIX = "dog:peer:";
var Peers = class {
  #kv;
  #stubs;
  #group;
  #name;
  #ids;
  #known;
  constructor(kv, namespace) {
    this.#kv = kv;
    this.#stubs = new Stubs(namespace);
    this.#group = kv.get(GROUP_KEY);
    this.#name = kv.get(NAME_KEY);
    this.#known = kv.get(KNOWN_KEY) ?? 0;
  }
  /** The Group that this Replica is of; undefined until something came from it. */
  get group() {
    return this.#group;
  }
  /** The name of the Group, if it has one: reached by it, the Group sees it too. */
  get groupName() {
    return this.#name;
  }
  /** The highest number of a Replica of the group that is known here. */
  get known() {
    return this.#known;
  }
  /** Whether the Replica is of that group. The first group that reaches it is its group for good. */
  belongsTo(group, name) {
    if (this.#group === void 0) this.#kv.put(GROUP_KEY, this.#group = group);
    if (this.#group !== group) return false;
    if (name !== void 0 && name !== this.#name) this.#kv.put(NAME_KEY, this.#name = name);
    return true;
  }
  /** Learns of peers. Returns `known`, which is less than `introduction.after` if others are missing before them. */
  introduce({ after, known, ids }) {
    if (after > this.#known || known <= this.#known) return this.#known;
    for (const id of ids) {
      this.#all().add(id);
      this.#kv.put(PEER_PREFIX + id, true);
    }
    this.#kv.put(KNOWN_KEY, this.#known = known);
    return known;
  }
  /** Makes `call` on the peers, all at once. Those that fail go to `failed`; the answers of the others are returned. */
  async call(ids, call, failed) {
    const peers = ids === "all" ? [...this.#all()] : [...ids];
    const settled = await Promise.allSettled(peers.map((id) => this.#stubs.call(id, PEER_LIMIT_MS, call)));
    return settled.flatMap((result, index) => {
      if (result.status === "fulfilled") return [result.value];
      failed(peers[index], result.reason);
      return [];
    });
  }
  #all() {
    return this.#ids ??= new Set([...this.#kv.list({ prefix: PEER_PREFIX })].map(([key]) => key.slice(PEER_PREFIX.length)));
  }
};

// src/protocol.ts
var HEADER = {
  group: "x-dog-group-identifier",
  replica: "x-dog-replica-identifier",
  request: "x-dog-client-identifier",
  /** "<ticket> <fresh>"; without it the Replica asks the Group for a place. */
  ticket: "x-dolmen-ticket"
};
var REQUEST_ID_LIMIT = 2048;
function requestId(value) {
  const text = String(value);
  if (text.length <= REQUEST_ID_LIMIT && /^[!-~]([ -~]*[!-~])?$/.test(text)) return text;
  throw new TypeError(`A request id is 1 to ${REQUEST_ID_LIMIT} printable ASCII characters, without spaces around it.`);
}

// src/sockets.ts
function textOf(message) {
  return typeof message === "string" ? message : JSON.stringify(message);
}
var Sockets = class {
  #reach;
  #byWebSocket = /* @__PURE__ */ new Map();
  #byRequest = /* @__PURE__ */ new Map();
  constructor(reach) {
    this.#reach = reach;
  }
  get size() {
    return this.#byWebSocket.size;
  }
  /** A hibernatable socket that is there again; undefined for one that is not of a Replica's `connect`. */
  resume(ws) {
    const attachment = ws.deserializeAttachment();
    return attachment?.dog && this.#add(ws, attachment.dog.ticket, attachment.dog.request, hibernated(ws));
  }
  /** Adds a socket that was accepted, hibernatable or not. */
  add(ws, ticket, request, kind) {
    if (kind === "standard") return this.#add(ws, ticket, request, remembered());
    ws.serializeAttachment({ dog: { ticket, request } });
    return this.#add(ws, ticket, request, hibernated(ws));
  }
  /** Takes a socket out; undefined if it is out already. */
  remove(ws) {
    const connection = this.#byWebSocket.get(ws);
    if (connection === void 0) return void 0;
    this.#byWebSocket.delete(ws);
    const same = this.#byRequest.get(connection.request);
    same?.delete(connection);
    if (same?.size === 0) this.#byRequest.delete(connection.request);
    return connection;
  }
  get(ws) {
    return this.#byWebSocket.get(ws);
  }
  /** The socket that has this ticket. */
  holding(request, ticket) {
    for (const connection of this.#byRequest.get(request) ?? []) if (connection.ticket === ticket) return connection;
    return void 0;
  }
  /** The sockets, in no order, or those of one request id. */
  list(target) {
    const connections = target === void 0 ? this.#byWebSocket.values() : this.#byRequest.get(target) ?? [];
    return Array.from(connections, ({ socket }) => socket);
  }
  /** Sends to all sockets but those of the request id `except`. */
  emit(text, except) {
    for (const connection of this.#byWebSocket.values()) if (connection.request !== except) deliver(connection.ws, text);
  }
  /** Sends to the sockets of one request id. */
  whisper(text, target) {
    for (const connection of this.#byRequest.get(target) ?? []) deliver(connection.ws, text);
  }
  #add(ws, ticket, request, attachment) {
    const reach = this.#reach;
    const socket = {
      uid: request,
      send: (message) => ws.send(typeof message === "string" || message instanceof ArrayBuffer || ArrayBuffer.isView(message) ? message : textOf(message)),
      close: (code, reason) => ws.close(code, reason),
      emit: (message, self) => reach.emit(message, self ? void 0 : request),
      broadcast: (message, self) => reach.broadcast(message, self ? void 0 : request),
      whisper: (target, message) => reach.whisper(request, target, message),
      ...attachment
    };
    const connection = { ticket, request, ws, socket };
    this.#byWebSocket.set(ws, connection);
    const same = this.#byRequest.get(request);
    if (same) same.add(connection);
    else this.#byRequest.set(request, /* @__PURE__ */ new Set([connection]));
    return connection;
  }
};
function deliver(ws, text) {
  try {
    ws.send(text);
  } catch {
  }
}
function hibernated(ws) {
  const read = () => ws.deserializeAttachment();
  return {
    serializeAttachment: (own) => ws.serializeAttachment({ dog: read().dog, own }),
    deserializeAttachment: () => read().own ?? null
  };
}
function remembered() {
  let own = null;
  return {
    serializeAttachment: (value) => void (own = structuredClone(value)),
    deserializeAttachment: () => structuredClone(own)
  };
}

// src/replica.ts
var GROUP_LIMIT_MS = 5e3;
var NORMAL = 1e3;
var INTERNAL_ERROR = 1011;
var Replica = class extends Base {
  /**
   * Whether sockets outlive the instance: an idle Replica then leaves memory, and its fields with it. Set it to false
   * where fields must last as long as a socket is open.
   */
  hibernation = true;
  uid;
  #peers;
  #group;
  #ledger;
  #sockets;
  #outdated = false;
  constructor(state, env) {
    super(state, env);
    this.uid = state.id.toString();
    const { kv } = state.storage;
    const { parent, self } = this.link(env);
    this.#peers = new Peers(kv, self);
    this.#group = new Stubs(parent, (id, groups) => {
      const name = this.#peers.groupName;
      return name === void 0 ? groups.idFromString(id) : groups.idFromName(name);
    });
    this.#sockets = new Sockets({
      emit: (message, except) => this.#sockets.emit(textOf(message), except),
      broadcast: (message, except) => this.#broadcast(message, except),
      whisper: (from, target, message) => this.#whisper(from, target, message)
    });
    this.#ledger = new Ledger({
      replica: this.uid,
      kv,
      known: () => this.#peers.known,
      send: async (report) => {
        const answer = await this.#ask((group) => group.$report(report));
        if (answer.introduction) this.#peers.introduce(answer.introduction);
        return answer;
      },
      keep: (work) => state.waitUntil(work)
    });
    for (const ws of state.getWebSockets()) {
      const connection = this.#sockets.resume(ws);
      if (connection) this.#ledger.resume(connection.ticket, connection.request);
    }
    this.#outdated = this.#sockets.size === 0 && this.#peers.group !== void 0;
  }
  /** Makes the request a WebSocket: 101, or 405, 426 or 400 for one that asks for no WebSocket or comes from no `identify`. */
  async connect(req) {
    if (req.method !== "GET") return refuse(405, "Method Not Allowed", { allow: "GET" });
    if (req.headers.get("upgrade")?.toLowerCase() !== "websocket") return refuse(426, "Upgrade Required", { upgrade: "websocket" });
    const key = req.headers.get("sec-websocket-key")?.trim() ?? "";
    if (!/^[+/0-9A-Za-z]{22}==$/.test(key)) return refuse(400, "Bad Request");
    if (req.headers.get("sec-websocket-version") !== "13") return refuse(400, "Bad Request");
    const ids = idsOf(req, this.uid);
    if (typeof ids === "string") return refuse(400, ids);
    const ticket = ids.ticket?.ticket;
    if (ticket === void 0 || !this.#ledger.has(ticket) || this.#sockets.holding(ids.request, ticket)) {
      return refuse(400, "Mismatch: this request has no place, or a socket already");
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const connection = this.hibernation ? this.#acceptHibernatable(server, ticket, ids.request) : this.#acceptStandard(server, ticket, ids.request);
    await this.onopen?.(connection.socket);
    void this.#ledger.flush();
    return new Response(null, { status: 101, webSocket: client });
  }
  /** Sends to all sockets of this Replica. */
  emit(msg) {
    this.#sockets.emit(textOf(msg));
  }
  /** Sends to all sockets of the group. */
  broadcast(msg) {
    return this.#broadcast(msg);
  }
  /** Sends to every socket of the request id `target`, wherever in the group. */
  whisper(target, msg) {
    return this.#whisper(void 0, target, msg);
  }
  /** The open sockets of this Replica, or those of one request id: also the ones that it found when it woke up. */
  sockets(target) {
    return this.#sockets.list(target);
  }
  /** Asks all peers. Returns the answers of those that gave one. */
  async gossip(msg) {
    const text = JSON.stringify(msg);
    const answers = await this.#peers.call("all", (peer) => peer.$gossip(text), this.#failed);
    return answers.map((answer) => JSON.parse(answer));
  }
  /** Takes a request from `identify`'s stub. Not to be overridden: `receive` answers. */
  async fetch(input, init) {
    const request = new Request(input, init);
    const ids = idsOf(request, this.uid);
    if (typeof ids === "string") return refuse(400, ids);
    if (!this.#peers.belongsTo(ids.group)) return refuse(400, "Mismatch: Group ID");
    this.#catchUp();
    const place = await this.#admit(ids);
    if (place === null) return refuse(503, "This Replica has no room: identify again", { "retry-after": "0" });
    request.headers.set(HEADER.ticket, `${place.ticket} ${place.fresh}`);
    this.#ledger.arrive(place.ticket, ids.request, place.fresh);
    let response;
    try {
      response = await this.receive(request);
    } catch (error) {
      console.error(`Replica ${this.uid}: receive failed:`, error);
      response = refuse(500, "Internal Server Error");
    }
    const connection = this.#sockets.holding(ids.request, place.ticket);
    if (connection && response.status === 101) return response;
    if (connection) this.#drop(connection);
    await this.#ledger.end(place.ticket);
    return response;
  }
  /** @internal */
  async webSocketMessage(ws, data) {
    const connection = this.#sockets.get(ws);
    if (connection) await this.onmessage?.(connection.socket, data);
  }
  /** @internal */
  async webSocketClose(ws, code, reason) {
    await this.#closed(ws, (socket) => this.onclose?.(socket), code, reason);
  }
  /** @internal */
  async webSocketError(ws) {
    await this.#closed(ws, (socket) => this.onerror ? this.onerror(socket) : this.onclose?.(socket), INTERNAL_ERROR, "");
  }
  /** @internal */
  async $introduce(group, name, introduction) {
    if (!this.#peers.belongsTo(group, name)) throw new Error(`The Replica ${this.uid} belongs to another Group, ${this.#peers.group}.`);
    return this.#peers.introduce(introduction);
  }
  /** @internal */
  async $audit(group, seen) {
    if (!this.#peers.belongsTo(group)) throw new Error(`The Replica ${this.uid} belongs to another Group, ${this.#peers.group}.`);
    this.#outdated = false;
    return this.#ledger.audit(seen);
  }
  /** @internal */
  async $deliver({ body, to, except }) {
    this.#catchUp();
    if (to === void 0) this.#sockets.emit(body, except);
    else this.#sockets.whisper(body, to);
  }
  /** @internal */
  async $gossip(message) {
    this.#catchUp();
    if (!this.ongossip) throw new Error(`The Replica ${this.uid} has no ongossip.`);
    return JSON.stringify(await this.ongossip(JSON.parse(message)) ?? null);
  }
  #failed = (peer, error) => {
    if (this.onpeererror) this.onpeererror(peer, error);
    else console.error(`Replica ${this.uid}: its peer ${peer} failed:`, error);
  };
  #ask(call) {
    const { group } = this.#peers;
    if (group === void 0) throw new Error(`The Replica ${this.uid} knows no Group.`);
    return this.#group.call(group, GROUP_LIMIT_MS, call);
  }
  #catchUp() {
    if (!this.#outdated) return;
    this.#outdated = false;
    void this.#ledger.flush();
  }
  // A ticket is good once and for a time; anyone else asks the Group for a place here.
  async #admit({ request, ticket }) {
    if (ticket && Date.now() < ticket.fresh && !this.#ledger.has(ticket.ticket)) return ticket;
    const own = crypto.randomUUID();
    return this.#ask((group) => group.$admit(this.uid, request, own));
  }
  #acceptHibernatable(ws, ticket, request) {
    this.ctx.acceptWebSocket(ws);
    return this.#sockets.add(ws, ticket, request, "hibernatable");
  }
  #acceptStandard(ws, ticket, request) {
    ws.binaryType = "arraybuffer";
    ws.accept();
    ws.addEventListener("message", (event) => this.webSocketMessage(ws, event.data));
    ws.addEventListener("close", (event) => this.webSocketClose(ws, event.code, event.reason));
    ws.addEventListener("error", () => this.webSocketError(ws));
    return this.#sockets.add(ws, ticket, request, "standard");
  }
  async #closed(ws, listener, code, reason) {
    const connection = this.#sockets.remove(ws);
    if (connection === void 0) return;
    const freed = this.#ledger.end(connection.ticket).then(() => closeQuietly(ws, code, reason));
    try {
      await listener(connection.socket);
    } finally {
      await freed;
    }
  }
  // A socket whose connection never came about.
  #drop({ ws, ticket }) {
    this.#sockets.remove(ws);
    closeQuietly(ws, INTERNAL_ERROR, "");
    void this.#ledger.end(ticket);
  }
  async #broadcast(message, except) {
    const body = textOf(message);
    this.#sockets.emit(body, except);
    await this.#peers.call("all", (peer) => peer.$deliver(except === void 0 ? { body } : { body, except }), this.#failed);
  }
  // The Group knows where a request id has its places: its sockets may be spread over several Replicas.
  async #whisper(from, target, message) {
    if (from === target || this.#peers.group === void 0) return;
    const body = textOf(message);
    this.#sockets.whisper(body, target);
    const replicas = await this.#ask((group) => group.$where(target));
    await this.#peers.call(replicas.filter((id) => id !== this.uid), (peer) => peer.$deliver({ body, to: target }), this.#failed);
  }
};
function idsOf({ headers }, replica) {
  const group = headers.get(HEADER.group);
  const request = headers.get(HEADER.request);
  if (headers.get(HEADER.replica) === null) return "Missing: Replica ID";
  if (headers.get(HEADER.replica) !== replica) return "Mismatch: Replica ID";
  if (!group) return "Missing: Group ID";
  if (!request) return "Missing: Request ID";
  const [ticket, fresh] = headers.get(HEADER.ticket)?.split(" ") ?? [];
  return ticket ? { group, request, ticket: { ticket, fresh: Number(fresh) } } : { group, request };
}
function refuse(status, text, headers = {}) {
  return new Response(text, { status, headers });
}
function closeQuietly(ws, code, reason) {
  for (const [sent, text] of [[code, reason], [NORMAL, ""]]) {
    try {
      return ws.close(sent, text);
    } catch {
    }
  }
}

// src/places.ts
var REMEMBERED_LIMIT = 1e4;
var COLUMNS = "n, id, used, held, life, seq, told";
var SCHEMA = `
  CREATE TABLE IF NOT EXISTS dog_replica (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, used INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
    life INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL DEFAULT 0, told INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS dog_place (ticket TEXT PRIMARY KEY, request TEXT NOT NULL, replica INTEGER NOT NULL, until INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS dog_place_request ON dog_place (request);
  CREATE INDEX IF NOT EXISTS dog_place_replica ON dog_place (replica);
  CREATE INDEX IF NOT EXISTS dog_place_until ON dog_place (until) WHERE until IS NOT NULL;
  CREATE TABLE IF NOT EXISTS dog_seen (at INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE, replica INTEGER NOT NULL);
  CREATE TRIGGER IF NOT EXISTS dog_place_taken AFTER INSERT ON dog_place BEGIN
    UPDATE dog_replica SET used = used + 1, held = held + (NEW.until IS NULL) WHERE n = NEW.replica;
  END;
  CREATE TRIGGER IF NOT EXISTS dog_place_kept AFTER UPDATE OF until ON dog_place BEGIN
    UPDATE dog_replica SET held = held + (NEW.until IS NULL) - (OLD.until IS NULL) WHERE n = NEW.replica;
  END;
  CREATE TRIGGER IF NOT EXISTS dog_place_freed AFTER DELETE ON dog_place BEGIN
    UPDATE dog_replica SET used = used - 1, held = held - (OLD.until IS NULL) WHERE n = OLD.replica;
    INSERT OR REPLACE INTO dog_seen (request, replica) VALUES (OLD.request, OLD.replica);
    DELETE FROM dog_seen WHERE at <= (SELECT max(at) FROM dog_seen) - ${REMEMBERED_LIMIT};
  END;
`;
var Places = class {
  #storage;
  constructor(storage) {
    this.#storage = storage;
    if (storage.sql === void 0) throw new Error("A Group needs a class with SQLite storage (new_sqlite_classes).");
  }
  /** Makes the tables if they are not there: at first, and after the Group's own code has deleted all. */
  prepare() {
    const [found] = this.#rows("SELECT 1 FROM sqlite_master WHERE name = 'dog_place_freed'");
    if (!found) this.#storage.transactionSync(() => this.#storage.sql.exec(SCHEMA));
  }
  replicas() {
    return this.#rows(`SELECT ${COLUMNS} FROM dog_replica ORDER BY n`);
  }
  replica(id) {
    return this.#rows(`SELECT ${COLUMNS} FROM dog_replica WHERE id = ?`, id)[0];
  }
  /** Replicas that hold connections: what they hold may be out of date, if they were reset. */
  holders() {
    return this.#rows(`SELECT ${COLUMNS} FROM dog_replica WHERE held > 0 ORDER BY n`);
  }
  /** The Replica where the request id is, or was last. */
  previous(request) {
    return this.#rows(
      `SELECT ${COLUMNS} FROM dog_replica WHERE n = coalesce(
        (SELECT replica FROM dog_place WHERE request = ?1 ORDER BY replica LIMIT 1), (SELECT replica FROM dog_seen WHERE request = ?1))`,
      request
    )[0];
  }
  /** The least used Replica with room but that with the number `except`; of those with as few, the oldest. */
  leastUsed(limit, except) {
    return this.#rows(`SELECT ${COLUMNS} FROM dog_replica WHERE used < ? AND n <> ? ORDER BY used, n LIMIT 1`, limit, except)[0];
  }
  /** The Replica in which the ticket has its place. */
  of(ticket) {
    return this.#rows(`SELECT ${COLUMNS} FROM dog_replica WHERE n = (SELECT replica FROM dog_place WHERE ticket = ?)`, ticket)[0];
  }
  /** Reserves a place, which is freed at `until` unless a report says that the connection has arrived. */
  reserve(replica, request, ticket, until) {
    this.#run(
      "INSERT INTO dog_place (ticket, request, replica, until) VALUES (?, ?, ?, ?) ON CONFLICT (ticket) DO UPDATE SET until = excluded.until",
      ticket,
      request,
      replica.n,
      until
    );
  }
  /** Frees a place that is reserved. Returns the Replica that holds it if a connection has arrived. */
  cancel(ticket) {
    this.#run("DELETE FROM dog_place WHERE ticket = ? AND until IS NOT NULL", ticket);
    return this.of(ticket);
  }
  /** Frees the places that connections of a Replica have. */
  free(n) {
    this.#run("DELETE FROM dog_place WHERE replica = ? AND until IS NULL", n);
  }
  /** Frees the places that were reserved until then and never taken. Returns when the next one is due. */
  expire(nowMs) {
    this.#run("DELETE FROM dog_place WHERE until <= ?", nowMs);
    const [row] = this.#rows("SELECT min(until) AS next FROM dog_place WHERE until IS NOT NULL");
    return row?.next ?? void 0;
  }
  /** Adds a Replica, or finds it. */
  add(id) {
    this.#run("INSERT INTO dog_replica (id) VALUES (?) ON CONFLICT DO NOTHING", id);
    return this.replica(id);
  }
  where(request) {
    return this.#rows(
      "SELECT id FROM dog_replica WHERE n IN (SELECT replica FROM dog_place WHERE request = ?) ORDER BY n",
      request
    ).map((row) => row.id);
  }
  /** The peers above the number `after`, for the Replica `n`; undefined if there are none. */
  introduction(n, after) {
    const peers = this.#rows("SELECT n, id FROM dog_replica WHERE n > ? ORDER BY n", after);
    const last = peers.at(-1);
    return last && { after, known: last.n, ids: peers.filter((peer) => peer.n !== n).map((peer) => peer.id) };
  }
  told(n, known) {
    this.#run("UPDATE dog_replica SET told = ? WHERE n = ?", known, n);
  }
  /** Makes the places of a Replica what its report says. A report that a later one has overtaken changes nothing. */
  apply(report) {
    return this.#storage.transactionSync(() => {
      const row = this.add(report.replica);
      const { life } = row;
      if (report.life < life) return { whole: true, life, unknown: [] };
      if (report.life === life && report.seq <= row.seq) return { whole: false, life, unknown: [] };
      if (report.life > life && report.live === void 0) return { whole: true, life, unknown: [] };
      for (const ticket of report.ended) this.#run("DELETE FROM dog_place WHERE ticket = ?", ticket);
      for (const [ticket, request] of report.arrived) {
        this.#run(
          "INSERT INTO dog_place (ticket, request, replica, until) VALUES (?, ?, ?, NULL) ON CONFLICT (ticket) DO UPDATE SET until = NULL",
          ticket,
          request,
          row.n
        );
      }
      const unknown = report.live === void 0 ? [] : this.#hold(row.n, report.live);
      this.#run("UPDATE dog_replica SET life = ?, seq = ?, told = ? WHERE n = ?", report.life, report.seq, report.known, row.n);
      const introduction = this.introduction(row.n, report.known);
      const answer = { whole: false, life: report.life, unknown };
      return introduction ? { ...answer, introduction } : answer;
    });
  }
  // Reserved places stay although `live` does not name them: their requests may still be on their way.
  #hold(n, live) {
    const list = JSON.stringify(live);
    this.#run("UPDATE dog_place SET until = NULL WHERE until IS NOT NULL AND ticket IN (SELECT value FROM json_each(?))", list);
    this.#run("DELETE FROM dog_place WHERE replica = ? AND until IS NULL AND ticket NOT IN (SELECT value FROM json_each(?))", n, list);
    return this.#rows("SELECT value FROM json_each(?) WHERE value NOT IN (SELECT ticket FROM dog_place)", list).map((row) => row.value);
  }
  #rows(query, ...values) {
    return this.#storage.sql.exec(query, ...values).toArray();
  }
  #run(query, ...values) {
    this.#storage.sql.exec(query, ...values);
  }
};

// src/group.ts
var REPLICA_LIMIT_MS = 2e3;
var WIDTH = 32;
var SILENCE_MS = 6e4;
var NONE = 0;
var Group = class _Group extends Base {
  /** How long, in ms, a place is kept for a request that does not arrive at its Replica. */
  reservationMs = 6e4;
  uid;
  #child;
  #stubs;
  #places;
  #heard = /* @__PURE__ */ new Map();
  #audits = /* @__PURE__ */ new Map();
  #decisions = 0;
  #recovery;
  #growth;
  /** The number of the Replica that is being introduced to its peers: nobody goes there yet. */
  #opening = NONE;
  #alarm;
  constructor(state, env) {
    super(state, env);
    this.uid = state.id.toString();
    this.#child = this.link(env).child;
    this.#stubs = new Stubs(this.#child);
    this.#places = new Places(state.storage);
  }
  /** The id of one more Replica; `target.newUniqueId()` unless overridden. It must be a new one, or one with room. */
  clusterize(_req, target) {
    return target.newUniqueId();
  }
  /** Answers requests to the Group itself; 404 unless overridden. */
  receive(_req) {
    return new Response("Not Found", { status: 404 });
  }
  async fetch(input, init) {
    return this.receive(new Request(input, init));
  }
  /** How many places of each Replica are taken, asked of the Replicas now. */
  async usage() {
    this.#expire();
    await this.#audit(this.#places.holders(), ++this.#decisions);
    return new Map(this.#places.replicas().map((replica) => [replica.id, replica.used]));
  }
  /** Frees reserved places whose time is over. A Group with an `alarm` of its own should call `super.alarm()`. */
  async alarm(_info) {
    this.#alarm = void 0;
    await this.#setAlarm(this.#expire());
  }
  /** @internal */
  async $reserve(request, ticket) {
    if (!(this.limit >= 1)) throw new RangeError(`The limit of a Group must be at least 1, and is ${this.limit}.`);
    const decision = ++this.#decisions;
    this.#expire();
    await (this.#recovery ??= this.#recover());
    for (; ; ) {
      const reserved = this.#places.of(ticket);
      if (reserved) return this.#hand(reserved, request, ticket);
      const previous = this.#places.previous(request);
      if (previous && !this.#hasRoom(previous) && await this.#audit([previous], decision)) continue;
      const replica = previous && this.#hasRoom(previous) ? previous : this.#places.leastUsed(this.limit, this.#opening);
      if (replica) return this.#hand(replica, request, ticket);
      if (this.#growth) {
        await this.#growth.catch(() => {
        });
      } else if (!await this.#audit(this.#places.holders(), decision) && !this.#growth) {
        const growth = this.#grow(request, ticket).finally(() => this.#growth = void 0);
        this.#growth = growth;
        return growth;
      }
    }
  }
  /** A place in that Replica, for a request that came without a ticket or too late; null if it is full. @internal */
  async $admit(id, request, ticket) {
    this.#expire();
    const replica = this.#places.add(id);
    if (!this.#hasRoom(replica)) await this.#audit([replica], ++this.#decisions);
    const now = this.#places.add(id);
    return this.#hasRoom(now) ? this.#hand(now, request, ticket) : null;
  }
  /** The request of that ticket failed: its place is free, or its Replica is asked. @internal */
  async $cancel(ticket) {
    this.#places.prepare();
    const holder = this.#places.cancel(ticket);
    if (holder) await this.#audit([holder], ++this.#decisions);
  }
  /** @internal */
  async $report(report) {
    this.#places.prepare();
    return this.#apply(report);
  }
  /** @internal */
  async $where(request) {
    this.#places.prepare();
    return this.#places.where(request);
  }
  #hasRoom(replica) {
    return replica.used < this.limit;
  }
  #expire() {
    this.#places.prepare();
    return this.#places.expire(Date.now());
  }
  async #hand(replica, request, ticket) {
    const now = Date.now();
    const until = now + this.reservationMs;
    this.#places.reserve(replica, request, ticket, until);
    await this.#setAlarm(until);
    this.ctx.waitUntil(this.#listen(now));
    return { replica: replica.id, ticket, fresh: now + this.reservationMs / 2 };
  }
  // A new Replica is in the database before anyone is told of it, so that its number stays its own through a crash.
  async #grow(request, ticket) {
    const headers = { [HEADER.group]: this.uid, [HEADER.request]: request };
    const id = await this.clusterize(new Request("http://dog/identify", { headers }), this.#child);
    const replica = this.#places.add(id.toString());
    if (!this.#hasRoom(replica)) throw new RangeError(`clusterize() returned ${replica.id}, a Replica of this group without room.`);
    this.#opening = replica.n;
    await this.#introduceAll();
    this.#opening = NONE;
    return this.#hand(replica, request, ticket);
  }
  // Whatever happened while this Group was not in memory, its first decision starts from what is there now.
  async #recover() {
    await Promise.all([this.#audit(this.#places.holders(), this.#decisions), this.#introduceAll()]);
  }
  // Asks those of the Replicas that were not heard of since that decision began. Returns whether there were any.
  async #audit(replicas, decision) {
    const silent = replicas.filter(({ n, held }) => held > 0 && (this.#heard.get(n)?.decision ?? 0) < decision);
    await eachOf(silent, WIDTH, ({ n, id, life }) => {
      let audit = this.#audits.get(n);
      if (audit === void 0) this.#audits.set(n, audit = this.#ask(n, id, life).finally(() => this.#audits.delete(n)));
      return audit;
    });
    return silent.length > 0;
  }
  async #ask(n, id, life) {
    try {
      const answer = this.#apply(await this.#stubs.call(id, REPLICA_LIMIT_MS, (stub) => stub.$audit(this.uid, life)));
      if (answer.introduction) await this.#introduce(this.#places.replica(id));
    } catch (error) {
      console.error(`Group ${this.uid}: the Replica ${id} does not say what it holds:`, error);
      if (isReset(error)) this.#places.free(n);
      this.#hear(n);
    }
  }
  #apply(report) {
    const answer = this.#places.apply(report);
    this.#hear(this.#places.replica(report.replica).n);
    return answer;
  }
  #hear(n) {
    this.#heard.set(n, { decision: this.#decisions, at: Date.now() });
  }
  // A Replica that is neither full nor asked for would keep the places of a life that is over: one is asked at a time.
  async #listen(nowMs) {
    if (this.#audits.size > 0) return;
    const silent = this.#places.holders().filter(({ n }) => nowMs - (this.#heard.get(n)?.at ?? 0) >= SILENCE_MS);
    await this.#audit(silent.slice(0, 1), this.#decisions + 1);
  }
  // Tells every Replica of the peers it does not know. One that cannot be told learns of them with its next report.
  async #introduceAll() {
    const replicas = this.#places.replicas();
    const last = replicas.at(-1)?.n ?? 0;
    await eachOf(replicas.filter(({ told }) => told < last), WIDTH, async (replica) => {
      try {
        await this.#introduce(replica);
      } catch (error) {
        console.error(`Group ${this.uid}: the Replica ${replica.id} does not learn of its peers:`, error);
      }
    });
  }
  // It answers with the highest number it knows: if that is less than was thought, it is told once more, from there.
  async #introduce({ n, id, told }) {
    await this.#tell(n, id, await this.#tell(n, id, told));
  }
  async #tell(n, id, after) {
    const introduction = this.#places.introduction(n, after);
    if (introduction === void 0) return after;
    const known = await this.#stubs.call(id, REPLICA_LIMIT_MS, (stub) => stub.$introduce(this.uid, this.ctx.id.name, introduction));
    this.#places.told(n, known);
    return known;
  }
  // The alarm belongs to a subclass that has one: then places are freed by the next decision.
  async #setAlarm(at) {
    if (at === void 0 || this.alarm !== _Group.prototype.alarm || this.#alarm !== void 0 && this.#alarm <= at) return;
    this.#alarm = at;
    await this.ctx.storage.setAlarm(at);
  }
};

// src/identify.ts
var GROUP_LIMIT_MS2 = 3e4;
async function identify(groupid, requestid, family) {
  const request = requestId(requestid);
  const group = groupid.toString();
  const groups = new Stubs(family.parent, () => groupid);
  const ticket = crypto.randomUUID();
  const placement = await groups.call(group, GROUP_LIMIT_MS2, (stub2) => stub2.$reserve(request, ticket));
  const replicas = family.child;
  const stub = replicas.get(replicas.idFromString(placement.replica));
  const fetch = stub.fetch.bind(stub);
  let unused = true;
  stub.fetch = async (input, init) => {
    const outgoing = new Request(input, init);
    outgoing.headers.set(HEADER.group, group);
    outgoing.headers.set(HEADER.replica, placement.replica);
    outgoing.headers.set(HEADER.request, request);
    outgoing.headers.delete(HEADER.ticket);
    const first = unused;
    unused = false;
    if (first) outgoing.headers.set(HEADER.ticket, `${ticket} ${placement.fresh}`);
    try {
      return await fetch(outgoing);
    } catch (error) {
      if (first && isBroken(error)) await groups.call(group, GROUP_LIMIT_MS2, (stub2) => stub2.$cancel(ticket)).catch(() => {
      });
      throw error;
    }
  };
  return stub;
}

// src/dog.ts
var Replica2 = class extends Replica {
  hibernation = false;
};
export {
  Group,
  Replica2 as Replica,
  identify
};
