import type { GroupNamespace, Gossip, Message, ReplicaID, ReplicaNamespace, RequestID, Socket } from "./api.js";
import { Base } from "./base.js";
/** Holds connections. Extend it with `link` and `receive`. `T` is the type of `env`. */
export declare abstract class Replica<T = unknown> extends Base<T> {
    #private;
    /**
     * Whether sockets outlive the instance: an idle Replica then leaves memory, and its fields with it. Set it to false
     * where fields must last as long as a socket is open.
     */
    hibernation: boolean;
    readonly uid: ReplicaID;
    constructor(state: DurableObjectState, env: T);
    /** The namespaces of the Group and of the Replica itself. Called by the constructor. */
    abstract link(bindings: T): {
        parent: GroupNamespace<T>;
        self: ReplicaNamespace<T>;
    };
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
    connect(req: Request): Promise<Response>;
    /** Sends to all sockets of this Replica. */
    emit(msg: Message): void;
    /** Sends to all sockets of the group. */
    broadcast(msg: Message): Promise<void>;
    /** Sends to every socket of the request id `target`, wherever in the group. */
    whisper(target: RequestID, msg: Message): Promise<void>;
    /** The open sockets of this Replica, or those of one request id: also the ones that it found when it woke up. */
    sockets(target?: RequestID): Socket[];
    /** Asks all peers. Returns the answers of those that gave one. */
    gossip<M extends Gossip.Message>(msg: M): Promise<Gossip.Payload[]>;
    /** Takes a request from `identify`'s stub. Not to be overridden: `receive` answers. */
    fetch(input: RequestInfo, init?: RequestInit): Promise<Response>;
}
