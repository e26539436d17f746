// What `import … from "dog"` gets: the same, but sockets keep their Replica in memory, because code written for `dog`
// keeps its state in fields.

import { Replica as HibernatingReplica } from "./replica.js";

export * from "./index.js";

/** Holds connections, and its fields as long as it has any, unless `hibernation` is set to true. */
export abstract class Replica<T = unknown> extends HibernatingReplica<T> {
  override hibernation = false;
}
