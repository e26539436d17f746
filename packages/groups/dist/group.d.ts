import type { GroupID, GroupNamespace, ReplicaID, ReplicaNamespace } from "./api.js";
import { Base } from "./base.js";
/** Spreads requests over Replicas. Extend it with `limit` and `link`. `T` is the type of `env`. */
export declare abstract class Group<T = unknown> extends Base<T> {
    #private;
    /** Connections that a Replica has at most, at least 1. */
    abstract limit: number;
    /** How long, in ms, a place is kept for a request that does not arrive at its Replica. */
    reservationMs: number;
    readonly uid: GroupID;
    constructor(state: DurableObjectState, env: T);
    /** The namespaces of the Replicas and of the Group itself. Called by the constructor. */
    abstract link(bindings: T): {
        child: ReplicaNamespace<T>;
        self: GroupNamespace<T>;
    };
    /** The id of one more Replica; `target.newUniqueId()` unless overridden. It must be a new one, or one with room. */
    clusterize(_req: Request, target: DurableObjectNamespace): Promise<DurableObjectId> | DurableObjectId;
    /** Answers requests to the Group itself; 404 unless overridden. */
    receive(_req: Request): Promise<Response> | Response;
    fetch(input: RequestInfo, init?: RequestInit): Promise<Response>;
    /** How many places of each Replica are taken, asked of the Replicas now. */
    usage(): Promise<Map<ReplicaID, number>>;
    /** Frees reserved places whose time is over. A Group with an `alarm` of its own should call `super.alarm()`. */
    alarm(_info?: AlarmInvocationInfo): Promise<void>;
}
