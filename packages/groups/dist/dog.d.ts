import { Replica as HibernatingReplica } from "./replica.js";
export * from "./index.js";
/** Holds connections, and its fields as long as it has any, unless `hibernation` is set to true. */
export declare abstract class Replica<T = unknown> extends HibernatingReplica<T> {
    hibernation: boolean;
}
