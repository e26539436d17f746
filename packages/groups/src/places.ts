// What a Group knows of its Replicas and their places, in its own database: so it is there again after an eviction or a
// crash, and every change of it is one transaction. Triggers count: `used` of a Replica is the number of its rows in
// dog_place, `held` of those that a connection has.

import type { ReplicaID, RequestID } from "./api.js";
import type { Answer, Introduction, Report, Ticket } from "./protocol.js";

/** Request ids without a connection whose last Replica is remembered. */
const REMEMBERED_LIMIT = 10_000;

/** `n` numbers Replicas from 1 in the order they were made; `told` is the highest number of a peer it is known to know. */
export interface ReplicaRow extends Record<string, SqlStorageValue> {
  n: number;
  id: ReplicaID;
  used: number;
  held: number;
  life: number;
  seq: number;
  told: number;
}

const COLUMNS = "n, id, used, held, life, seq, told";

// A place is reserved until `until` (ms since 1970), or held by a connection where that is NULL.
const SCHEMA = `
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

export class Places {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    if (storage.sql === undefined) throw new Error("A Group needs a class with SQLite storage (new_sqlite_classes).");
  }

  /** Makes the tables if they are not there: at first, and after the Group's own code has deleted all. */
  prepare(): void {
    const [found] = this.#rows("SELECT 1 FROM sqlite_master WHERE name = 'dog_place_freed'");
    if (!found) this.#storage.transactionSync(() => this.#storage.sql.exec(SCHEMA));
  }

  replicas(): ReplicaRow[] {
    return this.#rows<ReplicaRow>(`SELECT ${COLUMNS} FROM dog_replica ORDER BY n`);
  }

  replica(id: ReplicaID): ReplicaRow | undefined {
    return this.#rows<ReplicaRow>(`SELECT ${COLUMNS} FROM dog_replica WHERE id = ?`, id)[0];
  }

  /** Replicas that hold connections: what they hold may be out of date, if they were reset. */
  holders(): ReplicaRow[] {
    return this.#rows<ReplicaRow>(`SELECT ${COLUMNS} FROM dog_replica WHERE held > 0 ORDER BY n`);
  }

  /** The Replica where the request id is, or was last. */
  previous(request: RequestID): ReplicaRow | undefined {
    return this.#rows<ReplicaRow>(
      `SELECT ${COLUMNS} FROM dog_replica WHERE n = coalesce(
        (SELECT replica FROM dog_place WHERE request = ?1 ORDER BY replica LIMIT 1), (SELECT replica FROM dog_seen WHERE request = ?1))`,
      request,
    )[0];
  }

  /** The least used Replica with room but that with the number `except`; of those with as few, the oldest. */
  leastUsed(limit: number, except: number): ReplicaRow | undefined {
    return this.#rows<ReplicaRow>(`SELECT ${COLUMNS} FROM dog_replica WHERE used < ? AND n <> ? ORDER BY used, n LIMIT 1`, limit, except)[0];
  }

  /** The Replica in which the ticket has its place. */
  of(ticket: Ticket): ReplicaRow | undefined {
    return this.#rows<ReplicaRow>(`SELECT ${COLUMNS} FROM dog_replica WHERE n = (SELECT replica FROM dog_place WHERE ticket = ?)`, ticket)[0];
  }

  /** Reserves a place, which is freed at `until` unless a report says that the connection has arrived. */
  reserve(replica: ReplicaRow, request: RequestID, ticket: Ticket, until: number): void {
    this.#run(
      "INSERT INTO dog_place (ticket, request, replica, until) VALUES (?, ?, ?, ?) ON CONFLICT (ticket) DO UPDATE SET until = excluded.until",
      ticket, request, replica.n, until,
    );
  }

  /** Frees a place that is reserved. Returns the Replica that holds it if a connection has arrived. */
  cancel(ticket: Ticket): ReplicaRow | undefined {
    this.#run("DELETE FROM dog_place WHERE ticket = ? AND until IS NOT NULL", ticket);
    return this.of(ticket);
  }

  /** Frees the places that connections of a Replica have. */
  free(n: number): void {
    this.#run("DELETE FROM dog_place WHERE replica = ? AND until IS NULL", n);
  }

  /** Frees the places that were reserved until then and never taken. Returns when the next one is due. */
  expire(nowMs: number): number | undefined {
    this.#run("DELETE FROM dog_place WHERE until <= ?", nowMs);
    const [row] = this.#rows<{ next: number | null }>("SELECT min(until) AS next FROM dog_place WHERE until IS NOT NULL");
    return row?.next ?? undefined;
  }

  /** Adds a Replica, or finds it. */
  add(id: ReplicaID): ReplicaRow {
    this.#run("INSERT INTO dog_replica (id) VALUES (?) ON CONFLICT DO NOTHING", id);
    return this.replica(id)!;
  }

  where(request: RequestID): ReplicaID[] {
    return this.#rows<{ id: ReplicaID }>(
      "SELECT id FROM dog_replica WHERE n IN (SELECT replica FROM dog_place WHERE request = ?) ORDER BY n", request,
    ).map((row) => row.id);
  }

  /** The peers above the number `after`, for the Replica `n`; undefined if there are none. */
  introduction(n: number, after: number): Introduction | undefined {
    const peers = this.#rows<{ n: number; id: ReplicaID }>("SELECT n, id FROM dog_replica WHERE n > ? ORDER BY n", after);
    const last = peers.at(-1);
    return last && { after, known: last.n, ids: peers.filter((peer) => peer.n !== n).map((peer) => peer.id) };
  }

  told(n: number, known: number): void {
    this.#run("UPDATE dog_replica SET told = ? WHERE n = ?", known, n);
  }

  /** Makes the places of a Replica what its report says. A report that a later one has overtaken changes nothing. */
  apply(report: Report): Answer {
    return this.#storage.transactionSync(() => {
      // A Replica that is not known belongs to this Group all the same, whose storage was deleted since.
      const row = this.add(report.replica);
      const { life } = row;
      if (report.life < life) return { whole: true, life, unknown: [] };
      if (report.life === life && report.seq <= row.seq) return { whole: false, life, unknown: [] };
      if (report.life > life && report.live === undefined) return { whole: true, life, unknown: [] };
      for (const ticket of report.ended) this.#run("DELETE FROM dog_place WHERE ticket = ?", ticket);
      for (const [ticket, request] of report.arrived) {
        this.#run(
          "INSERT INTO dog_place (ticket, request, replica, until) VALUES (?, ?, ?, NULL) ON CONFLICT (ticket) DO UPDATE SET until = NULL",
          ticket, request, row.n,
        );
      }
      const unknown = report.live === undefined ? [] : this.#hold(row.n, report.live);
      this.#run("UPDATE dog_replica SET life = ?, seq = ?, told = ? WHERE n = ?", report.life, report.seq, report.known, row.n);
      const introduction = this.introduction(row.n, report.known);
      const answer = { whole: false, life: report.life, unknown };
      return introduction ? { ...answer, introduction } : answer;
    });
  }

  // Reserved places stay although `live` does not name them: their requests may still be on their way.
  #hold(n: number, live: Ticket[]): Ticket[] {
    const list = JSON.stringify(live);
    this.#run("UPDATE dog_place SET until = NULL WHERE until IS NOT NULL AND ticket IN (SELECT value FROM json_each(?))", list);
    this.#run("DELETE FROM dog_place WHERE replica = ? AND until IS NULL AND ticket NOT IN (SELECT value FROM json_each(?))", n, list);
    return this.#rows<{ value: Ticket }>("SELECT value FROM json_each(?) WHERE value NOT IN (SELECT ticket FROM dog_place)", list).map((row) => row.value);
  }

  #rows<R extends Record<string, SqlStorageValue>>(query: string, ...values: SqlStorageValue[]): R[] {
    return this.#storage.sql.exec<R>(query, ...values).toArray();
  }

  #run(query: string, ...values: SqlStorageValue[]): void {
    this.#storage.sql.exec(query, ...values);
  }
}
