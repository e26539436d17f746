// The connections of a Replica, and what its Group is told of them. Reports leave one at a time; what happens meanwhile
// goes with the next one. A report that fails is made again with all that came since, so nothing is lost or told twice.

import type { ReplicaID, RequestID } from "./api.js";
import type { Answer, Report, Ticket } from "./protocol.js";

/** Waits before a report is tried again: doubled each time from the first to the last. */
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 10_000;
/** Then it is left to the next connection, or to the Group to ask. */
const RETRIES = 10;
/** Ends of connections that are kept one by one; beyond that the Group is told what is left instead. */
const ENDED_LIMIT = 10_000;

const LIFE_KEY = "dog:life";

/** What a ledger needs of its Replica. */
export interface Office {
  readonly replica: ReplicaID;
  readonly kv: SyncKvStorage;
  /** The highest number of a known peer. */
  known(): number;
  /** Sends the report to the Group and does what its answer says of peers. */
  send(report: Report): Promise<Answer>;
  /** Keeps the Replica in memory until then. */
  keep(work: Promise<void>): void;
}

export class Ledger {
  readonly #office: Office;
  readonly #live = new Map<Ticket, RequestID>();
  readonly #arrived = new Map<Ticket, RequestID>();
  readonly #ended = new Set<Ticket>();
  #life = 0;
  #seq = 0;
  #whole = true;
  #failures = 0;
  #running = false;
  #round: { promise: Promise<void>; resolve(): void } | undefined;
  #timer: number | null = null;

  constructor(office: Office) {
    this.#office = office;
  }

  has(ticket: Ticket): boolean {
    return this.#live.has(ticket);
  }

  /** A connection that outlived the instance before this one: the Group knows it. */
  resume(ticket: Ticket, request: RequestID): void {
    this.#live.set(ticket, request);
  }

  /** A connection has come. The Group is told before `fresh` (ms since 1970), when it would look for the ticket in vain. */
  arrive(ticket: Ticket, request: RequestID, fresh: number): void {
    this.#live.set(ticket, request);
    this.#arrived.set(ticket, request);
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, fresh - Date.now()));
  }

  /** A connection has ended. Resolves when the Group knows, or could not be told at once. */
  end(ticket: Ticket): Promise<void> {
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
  audit(seen: number): Report {
    this.#claim(seen);
    return this.#report(true);
  }

  /** Tells the Group. Resolves when it knows all that came before this call, or could not be told at once. */
  flush(): Promise<void> {
    if (this.#round === undefined) {
      let resolve = () => {};
      const promise = new Promise<void>((done) => (resolve = done));
      this.#round = { promise, resolve };
    }
    const { promise } = this.#round;
    if (!this.#running) this.#office.keep(this.#run());
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#round) {
      const round = this.#round;
      this.#round = undefined;
      clearTimeout(this.#timer);
      this.#timer = null;
      const retry = await this.#send();
      round.resolve();
      if (retry !== undefined) this.#timer ??= setTimeout(() => this.flush(), retry);
    }
    this.#running = false;
  }

  // Returns after how many ms to send again, if it failed or the Group needs more.
  async #send(): Promise<number | undefined> {
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
        if (request !== undefined) this.#arrived.set(ticket, request);
      }
      this.#failures = 0;
      return whole || unknown.length > 0 ? 0 : undefined;
    } catch (error) {
      this.#failures += 1;
      console.error(`Replica ${this.#office.replica}: its Group could not be told of its connections:`, error);
      return this.#failures > RETRIES ? undefined : Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** (this.#failures - 1));
    }
  }

  #report(whole: boolean): Report {
    this.#claim(0);
    const report: Report = {
      replica: this.#office.replica,
      life: this.#life,
      seq: ++this.#seq,
      known: this.#office.known(),
      arrived: [...this.#arrived],
      ended: [...this.#ended],
    };
    return whole ? { ...report, live: [...this.#live.keys()] } : report;
  }

  // This instance's number is above that of any before it: by storage, and by the clock if that was deleted since.
  #claim(seen: number): void {
    if (this.#life !== 0 && this.#life >= seen) return;
    this.#life = Math.max((this.#office.kv.get<number>(LIFE_KEY) ?? 0) + 1, seen + 1, Date.now());
    this.#office.kv.put(LIFE_KEY, this.#life);
  }
}
