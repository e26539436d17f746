// A Group decides which Replica a request goes to. It keeps:
// - no Replica is given more than `limit` places;
// - a place is reserved before identify() returns, and freed once: when its connection has ended, when its Replica was
//   reset (which ends all its connections), or when its request never arrived;
// - a Replica is not taken for full, and none is made in its place, before it was asked what it holds.

import type { GroupID, GroupNamespace, ReplicaID, ReplicaNamespace, RequestID } from "./api.js";
import { Base } from "./base.js";
import { eachOf, isReset, Stubs } from "./calls.js";
import { Places, type ReplicaRow } from "./places.js";
import { HEADER, type Answer, type Placement, type ReplicaCalls, type Report, type Ticket } from "./protocol.js";

/** How long a Replica may take to say what it holds, or to learn of its peers, before the Group goes on without it. */
const REPLICA_LIMIT_MS = 2000;
/** Replicas that are asked, or told of their peers, at a time. */
const WIDTH = 32;
/** A Replica with connections that was not heard of for so long is asked what it holds when the next request comes. */
const SILENCE_MS = 60_000;
/** No Replica's number. */
const NONE = 0;

/** When a Replica was last heard of: the number of the decision then, and the time in ms since 1970. */
interface Heard {
  decision: number;
  at: number;
}

/** Spreads requests over Replicas. Extend it with `limit` and `link`. `T` is the type of `env`. */
export abstract class Group<T = unknown> extends Base<T> {
  /** Connections that a Replica has at most, at least 1. */
  abstract limit: number;
  /** How long, in ms, a place is kept for a request that does not arrive at its Replica. */
  reservationMs = 60_000;
  readonly uid: GroupID;

  readonly #child: DurableObjectNamespace;
  readonly #stubs: Stubs<ReplicaCalls>;
  readonly #places: Places;
  readonly #heard = new Map<number, Heard>();
  readonly #audits = new Map<number, Promise<void>>();
  #decisions = 0;
  #recovery: Promise<void> | undefined;
  #growth: Promise<unknown> | undefined;
  /** The number of the Replica that is being introduced to its peers: nobody goes there yet. */
  #opening = NONE;
  #alarm: number | undefined;

  constructor(state: DurableObjectState, env: T) {
    super(state, env);
    this.uid = state.id.toString();
    this.#child = this.link(env).child as DurableObjectNamespace;
    this.#stubs = new Stubs(this.#child);
    this.#places = new Places(state.storage);
  }

  /** The namespaces of the Replicas and of the Group itself. Called by the constructor. */
  abstract link(bindings: T): { child: ReplicaNamespace<T>; self: GroupNamespace<T> };

  /** The id of one more Replica; `target.newUniqueId()` unless overridden. It must be a new one, or one with room. */
  clusterize(_req: Request, target: DurableObjectNamespace): Promise<DurableObjectId> | DurableObjectId {
    return target.newUniqueId();
  }

  /** Answers requests to the Group itself; 404 unless overridden. */
  receive(_req: Request): Promise<Response> | Response {
    return new Response("Not Found", { status: 404 });
  }

  async fetch(input: RequestInfo, init?: RequestInit): Promise<Response> {
    return this.receive(new Request(input, init));
  }

  /** How many places of each Replica are taken, asked of the Replicas now. */
  async usage(): Promise<Map<ReplicaID, number>> {
    this.#expire();
    await this.#audit(this.#places.holders(), ++this.#decisions);
    return new Map(this.#places.replicas().map((replica) => [replica.id, replica.used]));
  }

  /** Frees reserved places whose time is over. A Group with an `alarm` of its own should call `super.alarm()`. */
  async alarm(_info?: AlarmInvocationInfo): Promise<void> {
    this.#alarm = undefined;
    await this.#setAlarm(this.#expire());
  }

  /** @internal */
  async $reserve(request: RequestID, ticket: Ticket): Promise<Placement> {
    if (!(this.limit >= 1)) throw new RangeError(`The limit of a Group must be at least 1, and is ${this.limit}.`);
    const decision = ++this.#decisions;
    this.#expire();
    await (this.#recovery ??= this.#recover());
    for (;;) {
      const reserved = this.#places.of(ticket);
      if (reserved) return this.#hand(reserved, request, ticket);
      const previous = this.#places.previous(request);
      if (previous && !this.#hasRoom(previous) && (await this.#audit([previous], decision))) continue;
      const replica = previous && this.#hasRoom(previous) ? previous : this.#places.leastUsed(this.limit, this.#opening);
      if (replica) return this.#hand(replica, request, ticket);
      if (this.#growth) {
        await this.#growth.catch(() => {});
      } else if (!(await this.#audit(this.#places.holders(), decision)) && !this.#growth) {
        const growth = this.#grow(request, ticket).finally(() => (this.#growth = undefined));
        this.#growth = growth;
        return growth;
      }
    }
  }

  /** A place in that Replica, for a request that came without a ticket or too late; null if it is full. @internal */
  async $admit(id: ReplicaID, request: RequestID, ticket: Ticket): Promise<Placement | null> {
    this.#expire();
    const replica = this.#places.add(id);
    if (!this.#hasRoom(replica)) await this.#audit([replica], ++this.#decisions);
    const now = this.#places.add(id);
    return this.#hasRoom(now) ? this.#hand(now, request, ticket) : null;
  }

  /** The request of that ticket failed: its place is free, or its Replica is asked. @internal */
  async $cancel(ticket: Ticket): Promise<void> {
    this.#places.prepare();
    const holder = this.#places.cancel(ticket);
    if (holder) await this.#audit([holder], ++this.#decisions);
  }

  /** @internal */
  async $report(report: Report): Promise<Answer> {
    this.#places.prepare();
    return this.#apply(report);
  }

  /** @internal */
  async $where(request: RequestID): Promise<ReplicaID[]> {
    this.#places.prepare();
    return this.#places.where(request);
  }

  #hasRoom(replica: ReplicaRow): boolean {
    return replica.used < this.limit;
  }

  #expire(): number | undefined {
    this.#places.prepare();
    return this.#places.expire(Date.now());
  }

  async #hand(replica: ReplicaRow, request: RequestID, ticket: Ticket): Promise<Placement> {
    const now = Date.now();
    // The Replica stops taking the ticket well before the place goes to someone else: clocks differ, reports take time.
    const until = now + this.reservationMs;
    this.#places.reserve(replica, request, ticket, until);
    await this.#setAlarm(until);
    this.ctx.waitUntil(this.#listen(now));
    return { replica: replica.id, ticket, fresh: now + this.reservationMs / 2 };
  }

  // A new Replica is in the database before anyone is told of it, so that its number stays its own through a crash.
  async #grow(request: RequestID, ticket: Ticket): Promise<Placement> {
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
  async #recover(): Promise<void> {
    await Promise.all([this.#audit(this.#places.holders(), this.#decisions), this.#introduceAll()]);
  }

  // Asks those of the Replicas that were not heard of since that decision began. Returns whether there were any.
  async #audit(replicas: ReplicaRow[], decision: number): Promise<boolean> {
    const silent = replicas.filter(({ n, held }) => held > 0 && (this.#heard.get(n)?.decision ?? 0) < decision);
    await eachOf(silent, WIDTH, ({ n, id, life }) => {
      let audit = this.#audits.get(n);
      if (audit === undefined) this.#audits.set(n, (audit = this.#ask(n, id, life).finally(() => this.#audits.delete(n))));
      return audit;
    });
    return silent.length > 0;
  }

  async #ask(n: number, id: ReplicaID, life: number): Promise<void> {
    try {
      const answer = this.#apply(await this.#stubs.call(id, REPLICA_LIMIT_MS, (stub) => stub.$audit(this.uid, life)));
      if (answer.introduction) await this.#introduce(this.#places.replica(id)!);
    } catch (error) {
      console.error(`Group ${this.uid}: the Replica ${id} does not say what it holds:`, error);
      // One that fails to start has no connections. One that cannot be reached may have: it keeps its places.
      if (isReset(error)) this.#places.free(n);
      this.#hear(n);
    }
  }

  #apply(report: Report): Answer {
    const answer = this.#places.apply(report);
    this.#hear(this.#places.replica(report.replica)!.n);
    return answer;
  }

  #hear(n: number): void {
    this.#heard.set(n, { decision: this.#decisions, at: Date.now() });
  }

  // A Replica that is neither full nor asked for would keep the places of a life that is over: one is asked at a time.
  async #listen(nowMs: number): Promise<void> {
    if (this.#audits.size > 0) return;
    const silent = this.#places.holders().filter(({ n }) => nowMs - (this.#heard.get(n)?.at ?? 0) >= SILENCE_MS);
    await this.#audit(silent.slice(0, 1), this.#decisions + 1);
  }

  // Tells every Replica of the peers it does not know. One that cannot be told learns of them with its next report.
  async #introduceAll(): Promise<void> {
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
  async #introduce({ n, id, told }: ReplicaRow): Promise<void> {
    await this.#tell(n, id, await this.#tell(n, id, told));
  }

  async #tell(n: number, id: ReplicaID, after: number): Promise<number> {
    const introduction = this.#places.introduction(n, after);
    if (introduction === undefined) return after;
    const known = await this.#stubs.call(id, REPLICA_LIMIT_MS, (stub) => stub.$introduce(this.uid, this.ctx.id.name, introduction));
    this.#places.told(n, known);
    return known;
  }

  // The alarm belongs to a subclass that has one: then places are freed by the next decision.
  async #setAlarm(at: number | undefined): Promise<void> {
    if (at === undefined || this.alarm !== Group.prototype.alarm || (this.#alarm !== undefined && this.#alarm <= at)) return;
    this.#alarm = at;
    await this.ctx.storage.setAlarm(at);
  }
}
