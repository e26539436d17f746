// A Replica answers the requests that its Group has sent to it, and speaks with its peers. A request has its place until
// its response is returned; a WebSocket that `connect` accepts has it until it closes.

import type { GroupNamespace, Gossip, Message, ReplicaID, ReplicaNamespace, RequestID, Socket } from "./api.js";
import { Base } from "./base.js";
import { Stubs } from "./calls.js";
import { Ledger } from "./ledger.js";
import { Peers } from "./peers.js";
import { HEADER, type Delivery, type GroupCalls, type Introduction, type Report, type Ticket } from "./protocol.js";
import { Sockets, textOf, type Connection } from "./sockets.js";

/** How long the Group may take for a report or a place. */
const GROUP_LIMIT_MS = 5000;

const NORMAL = 1000;
const INTERNAL_ERROR = 1011;

/** Holds connections. Extend it with `link` and `receive`. `T` is the type of `env`. */
export abstract class Replica<T = unknown> extends Base<T> {
  /**
   * Whether sockets outlive the instance: an idle Replica then leaves memory, and its fields with it. Set it to false
   * where fields must last as long as a socket is open.
   */
  hibernation = true;
  readonly uid: ReplicaID;

  readonly #peers: Peers;
  readonly #group: Stubs<GroupCalls>;
  readonly #ledger: Ledger;
  readonly #sockets: Sockets;
  #outdated = false;

  constructor(state: DurableObjectState, env: T) {
    super(state, env);
    this.uid = state.id.toString();
    const { kv } = state.storage;
    const { parent, self } = this.link(env);
    this.#peers = new Peers(kv, self);
    this.#group = new Stubs(parent, (id, groups) => {
      const name = this.#peers.groupName;
      return name === undefined ? groups.idFromString(id) : groups.idFromName(name);
    });
    this.#sockets = new Sockets({
      emit: (message, except) => this.#sockets.emit(textOf(message), except),
      broadcast: (message, except) => this.#broadcast(message, except),
      whisper: (from, target, message) => this.#whisper(from, target, message),
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
      keep: (work) => state.waitUntil(work),
    });
    for (const ws of state.getWebSockets()) {
      const connection = this.#sockets.resume(ws);
      if (connection) this.#ledger.resume(connection.ticket, connection.request);
    }
    // Without sockets this is no wake-up from hibernation: what the Group thinks of the life before is over.
    this.#outdated = this.#sockets.size === 0 && this.#peers.group !== undefined;
  }

  /** The namespaces of the Group and of the Replica itself. Called by the constructor. */
  abstract link(bindings: T): { parent: GroupNamespace<T>; self: ReplicaNamespace<T> };

  /** Answers a request; `this.connect(req)` makes it a WebSocket. */
  abstract receive(req: Request): Promise<Response> | Response;

  /** A socket was opened. If this fails, the socket is closed. */
  onopen?(socket: Socket): Promise<void> | void;
  /** A message came. Bytes come as an ArrayBuffer. */
  onmessage?(socket: Socket, data: string): Promise<void> | void;
  /** A socket has closed; also after an error where there is no `onerror`. */
  onclose?(socket: Socket): Promise<void> | void;
  /** A socket has failed. */
  onerror?(socket: Socket): Promise<void> | void;
  /** Answers a peer's gossip, with what JSON carries. */
  ongossip?(msg: Gossip.Message): Promise<Gossip.Payload> | Gossip.Payload;
  /** A peer could not be reached or failed; console.error unless defined. The other peers have the message. */
  onpeererror?(peer: ReplicaID, error: unknown): void;

  /** Makes the request a WebSocket: 101, or 405, 426 or 400 for one that asks for no WebSocket or comes from no `identify`. */
  async connect(req: Request): Promise<Response> {
    if (req.method !== "GET") return refuse(405, "Method Not Allowed", { allow: "GET" });
    if (req.headers.get("upgrade")?.toLowerCase() !== "websocket") return refuse(426, "Upgrade Required", { upgrade: "websocket" });
    const key = req.headers.get("sec-websocket-key")?.trim() ?? "";
    if (!/^[+/0-9A-Za-z]{22}==$/.test(key)) return refuse(400, "Bad Request");
    if (req.headers.get("sec-websocket-version") !== "13") return refuse(400, "Bad Request");
    const ids = idsOf(req, this.uid);
    if (typeof ids === "string") return refuse(400, ids);
    const ticket = ids.ticket?.ticket;
    if (ticket === undefined || !this.#ledger.has(ticket) || this.#sockets.holding(ids.request, ticket)) {
      return refuse(400, "Mismatch: this request has no place, or a socket already");
    }
    const { 0: client, 1: server } = new WebSocketPair();
    const connection = this.hibernation ? this.#acceptHibernatable(server, ticket, ids.request) : this.#acceptStandard(server, ticket, ids.request);
    await this.onopen?.(connection.socket);
    void this.#ledger.flush();
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Sends to all sockets of this Replica. */
  emit(msg: Message): void {
    this.#sockets.emit(textOf(msg));
  }

  /** Sends to all sockets of the group. */
  broadcast(msg: Message): Promise<void> {
    return this.#broadcast(msg);
  }

  /** Sends to every socket of the request id `target`, wherever in the group. */
  whisper(target: RequestID, msg: Message): Promise<void> {
    return this.#whisper(undefined, target, msg);
  }

  /** The open sockets of this Replica, or those of one request id: also the ones that it found when it woke up. */
  sockets(target?: RequestID): Socket[] {
    return this.#sockets.list(target);
  }

  /** Asks all peers. Returns the answers of those that gave one. */
  async gossip<M extends Gossip.Message>(msg: M): Promise<Gossip.Payload[]> {
    const text = JSON.stringify(msg);
    const answers = await this.#peers.call("all", (peer) => peer.$gossip(text), this.#failed);
    return answers.map((answer) => JSON.parse(answer) as Gossip.Payload);
  }

  /** Takes a request from `identify`'s stub. Not to be overridden: `receive` answers. */
  async fetch(input: RequestInfo, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    const ids = idsOf(request, this.uid);
    if (typeof ids === "string") return refuse(400, ids);
    if (!this.#peers.belongsTo(ids.group)) return refuse(400, "Mismatch: Group ID");
    this.#catchUp();
    const place = await this.#admit(ids);
    if (place === null) return refuse(503, "This Replica has no room: identify again", { "retry-after": "0" });
    request.headers.set(HEADER.ticket, `${place.ticket} ${place.fresh}`);
    this.#ledger.arrive(place.ticket, ids.request, place.fresh);
    let response: Response;
    try {
      response = await this.receive(request);
    } catch (error) {
      console.error(`Replica ${this.uid}: receive failed:`, error);
      response = refuse(500, "Internal Server Error");
    }
    const connection = this.#sockets.holding(ids.request, place.ticket);
    if (connection && response.status === 101) return response;
    // Also where onopen failed, and where receive answers something else than what connect made.
    if (connection) this.#drop(connection);
    await this.#ledger.end(place.ticket);
    return response;
  }

  /** @internal */
  async webSocketMessage(ws: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const connection = this.#sockets.get(ws);
    if (connection) await this.onmessage?.(connection.socket, data as string);
  }

  /** @internal */
  async webSocketClose(ws: WebSocket, code: number, reason: string): Promise<void> {
    await this.#closed(ws, (socket) => this.onclose?.(socket), code, reason);
  }

  /** @internal */
  async webSocketError(ws: WebSocket): Promise<void> {
    await this.#closed(ws, (socket) => (this.onerror ? this.onerror(socket) : this.onclose?.(socket)), INTERNAL_ERROR, "");
  }

  /** @internal */
  async $introduce(group: string, name: string | undefined, introduction: Introduction): Promise<number> {
    if (!this.#peers.belongsTo(group, name)) throw new Error(`The Replica ${this.uid} belongs to another Group, ${this.#peers.group}.`);
    return this.#peers.introduce(introduction);
  }

  /** @internal */
  async $audit(group: string, seen: number): Promise<Report> {
    if (!this.#peers.belongsTo(group)) throw new Error(`The Replica ${this.uid} belongs to another Group, ${this.#peers.group}.`);
    this.#outdated = false;
    return this.#ledger.audit(seen);
  }

  /** @internal */
  async $deliver({ body, to, except }: Delivery): Promise<void> {
    this.#catchUp();
    if (to === undefined) this.#sockets.emit(body, except);
    else this.#sockets.whisper(body, to);
  }

  /** @internal */
  async $gossip(message: string): Promise<string> {
    this.#catchUp();
    if (!this.ongossip) throw new Error(`The Replica ${this.uid} has no ongossip.`);
    return JSON.stringify((await this.ongossip(JSON.parse(message) as Gossip.Message)) ?? null);
  }

  readonly #failed = (peer: ReplicaID, error: unknown): void => {
    if (this.onpeererror) this.onpeererror(peer, error);
    else console.error(`Replica ${this.uid}: its peer ${peer} failed:`, error);
  };

  #ask<R>(call: (group: GroupCalls) => Promise<R>): Promise<R> {
    const { group } = this.#peers;
    if (group === undefined) throw new Error(`The Replica ${this.uid} knows no Group.`);
    return this.#group.call(group, GROUP_LIMIT_MS, call);
  }

  #catchUp(): void {
    if (!this.#outdated) return;
    this.#outdated = false;
    void this.#ledger.flush();
  }

  // A ticket is good once and for a time; anyone else asks the Group for a place here.
  async #admit({ request, ticket }: Ids): Promise<{ ticket: Ticket; fresh: number } | null> {
    if (ticket && Date.now() < ticket.fresh && !this.#ledger.has(ticket.ticket)) return ticket;
    const own = crypto.randomUUID();
    return this.#ask((group) => group.$admit(this.uid, request, own));
  }

  #acceptHibernatable(ws: WebSocket, ticket: Ticket, request: RequestID): Connection {
    this.ctx.acceptWebSocket(ws);
    return this.#sockets.add(ws, ticket, request, "hibernatable");
  }

  #acceptStandard(ws: WebSocket, ticket: Ticket, request: RequestID): Connection {
    ws.binaryType = "arraybuffer";
    ws.accept();
    ws.addEventListener("message", (event) => this.webSocketMessage(ws, event.data as string | ArrayBuffer));
    ws.addEventListener("close", (event) => this.webSocketClose(ws, event.code, event.reason));
    ws.addEventListener("error", () => this.webSocketError(ws));
    return this.#sockets.add(ws, ticket, request, "standard");
  }

  async #closed(ws: WebSocket, listener: (socket: Socket) => Promise<void> | void, code: number, reason: string): Promise<void> {
    const connection = this.#sockets.remove(ws);
    if (connection === undefined) return;
    // The other side sees its close answered once the place is free, whatever the listener does.
    const freed = this.#ledger.end(connection.ticket).then(() => closeQuietly(ws, code, reason));
    try {
      await listener(connection.socket);
    } finally {
      await freed;
    }
  }

  // A socket whose connection never came about.
  #drop({ ws, ticket }: Connection): void {
    this.#sockets.remove(ws);
    closeQuietly(ws, INTERNAL_ERROR, "");
    void this.#ledger.end(ticket);
  }

  async #broadcast(message: Message, except?: RequestID): Promise<void> {
    const body = textOf(message);
    this.#sockets.emit(body, except);
    await this.#peers.call("all", (peer) => peer.$deliver(except === undefined ? { body } : { body, except }), this.#failed);
  }

  // The Group knows where a request id has its places: its sockets may be spread over several Replicas.
  async #whisper(from: RequestID | undefined, target: RequestID, message: Message): Promise<void> {
    if (from === target || this.#peers.group === undefined) return;
    const body = textOf(message);
    this.#sockets.whisper(body, target);
    const replicas = await this.#ask((group) => group.$where(target));
    await this.#peers.call(replicas.filter((id) => id !== this.uid), (peer) => peer.$deliver({ body, to: target }), this.#failed);
  }
}

interface Ids {
  group: string;
  request: RequestID;
  ticket?: { ticket: Ticket; fresh: number };
}

// What identify's stub has put on the request, or what is wrong with it.
function idsOf({ headers }: Request, replica: ReplicaID): Ids | string {
  const group = headers.get(HEADER.group);
  const request = headers.get(HEADER.request);
  if (headers.get(HEADER.replica) === null) return "Missing: Replica ID";
  if (headers.get(HEADER.replica) !== replica) return "Mismatch: Replica ID";
  if (!group) return "Missing: Group ID";
  if (!request) return "Missing: Request ID";
  const [ticket, fresh] = headers.get(HEADER.ticket)?.split(" ") ?? [];
  return ticket ? { group, request, ticket: { ticket, fresh: Number(fresh) } } : { group, request };
}

function refuse(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers });
}

// Codes that stand for something that happened, such as 1006, cannot be sent: 1000 is sent in their place.
function closeQuietly(ws: WebSocket, code: number, reason: string): void {
  for (const [sent, text] of [[code, reason], [NORMAL, ""]] as [number, string][]) {
    try {
      return ws.close(sent, text);
    } catch {}
  }
}
