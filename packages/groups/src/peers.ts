// The other Replicas of the group, as the Group has introduced them. Kept in storage, so that a Replica which wakes up
// reaches them without asking.

import type { GroupID, ReplicaID } from "./api.js";
import { Stubs } from "./calls.js";
import type { Introduction, ReplicaCalls } from "./protocol.js";

/** How long a peer may take for a message, listeners included. */
const PEER_LIMIT_MS = 30_000;

const GROUP_KEY = "dog:group";
const NAME_KEY = "dog:name";
const KNOWN_KEY = "dog:known";
const PEER_PREFIX = "dog:peer:";

export class Peers {
  readonly #kv: SyncKvStorage;
  readonly #stubs: Stubs<ReplicaCalls>;
  #group: GroupID | undefined;
  #name: string | undefined;
  #ids: Set<ReplicaID> | undefined;
  #known: number;

  constructor(kv: SyncKvStorage, namespace: unknown) {
    this.#kv = kv;
    this.#stubs = new Stubs(namespace);
    this.#group = kv.get<GroupID>(GROUP_KEY);
    this.#name = kv.get<string>(NAME_KEY);
    this.#known = kv.get<number>(KNOWN_KEY) ?? 0;
  }

  /** The Group that this Replica is of; undefined until something came from it. */
  get group(): GroupID | undefined {
    return this.#group;
  }

  /** The name of the Group, if it has one: reached by it, the Group sees it too. */
  get groupName(): string | undefined {
    return this.#name;
  }

  /** The highest number of a Replica of the group that is known here. */
  get known(): number {
    return this.#known;
  }

  /** Whether the Replica is of that group. The first group that reaches it is its group for good. */
  belongsTo(group: GroupID, name?: string): boolean {
    if (this.#group === undefined) this.#kv.put(GROUP_KEY, (this.#group = group));
    if (this.#group !== group) return false;
    if (name !== undefined && name !== this.#name) this.#kv.put(NAME_KEY, (this.#name = name));
    return true;
  }

  /** Learns of peers. Returns `known`, which is less than `introduction.after` if others are missing before them. */
  introduce({ after, known, ids }: Introduction): number {
    if (after > this.#known || known <= this.#known) return this.#known;
    for (const id of ids) {
      this.#all().add(id);
      this.#kv.put(PEER_PREFIX + id, true);
    }
    this.#kv.put(KNOWN_KEY, (this.#known = known));
    return known;
  }

  /** Makes `call` on the peers, all at once. Those that fail go to `failed`; the answers of the others are returned. */
  async call<R>(ids: Iterable<ReplicaID> | "all", call: (stub: ReplicaCalls) => Promise<R>, failed: (peer: ReplicaID, error: unknown) => void): Promise<R[]> {
    const peers = ids === "all" ? [...this.#all()] : [...ids];
    const settled = await Promise.allSettled(peers.map((id) => this.#stubs.call(id, PEER_LIMIT_MS, call)));
    return settled.flatMap((result, index) => {
      if (result.status === "fulfilled") return [result.value];
      failed(peers[index]!, result.reason);
      return [];
    });
  }

  #all(): Set<ReplicaID> {
    return (this.#ids ??= new Set([...this.#kv.list({ prefix: PEER_PREFIX })].map(([key]) => key.slice(PEER_PREFIX.length))));
  }
}
