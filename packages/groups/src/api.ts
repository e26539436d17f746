// The types of Durable Object Groups, under the names that code written for `dog` imports.

import type { Group } from "./group.js";
import type { Replica } from "./replica.js";

/** What JSON carries. A Date arrives as text, a RegExp as an empty object. */
export declare namespace JSON {
  type Value = Date | RegExp | string | number | boolean | null | JSON.Object;
  type Object = JSON.Value[] | { [key: string]: JSON.Value };
}

/** What is sent to sockets: text as it is, anything else as JSON. */
export type Message = JSON.Object | string;

/** Who asks: chosen by the worker, 1 to 2,048 printable ASCII characters. */
export type RequestID = string;
/** The id of a Group, 64 hex digits. */
export type GroupID = string;
/** The id of a Replica, 64 hex digits. */
export type ReplicaID = string;

export declare namespace Gossip {
  /** What a Replica tells its peers. */
  type Message = { [key: string]: JSON.Value };
  /** What a peer answers. */
  type Payload = JSON.Object | JSON.Value;
}

/** The sockets that one request id holds. */
export interface State {
  group: GroupID;
  socket: Set<WebSocket>;
}

/** One WebSocket connection of a Replica. The same object is given to every listener while the Replica is in memory. */
export interface Socket {
  /** The request id that it was opened with. Several sockets may share one. */
  readonly uid: RequestID;
  /** Sends to this socket: text and bytes as they are, anything else as JSON. */
  send(msg: Message | ArrayBuffer | ArrayBufferView): void;
  /** Closes this socket. Its place is free once the other side has answered, or is gone. */
  close: WebSocket["close"];
  /** Sends to the sockets of this Replica but those of the same request id, and to these too if `self` is true. */
  emit(msg: Message, self?: boolean): void;
  /** Sends to the sockets of all Replicas but those of the same request id, and to these too if `self` is true. */
  broadcast(msg: Message, self?: boolean): Promise<void>;
  /** Sends to every socket of the request id `target`, wherever in the group; to nobody if it has none, or is the sender. */
  whisper(target: RequestID, msg: Message): Promise<void>;
  /** Keeps a value of up to 15 KiB with the socket, through hibernation. */
  serializeAttachment(value: unknown): void;
  /** A copy of the value kept with the socket; null if there is none. */
  deserializeAttachment(): unknown;
}

/** What `env` may hold. The classes take any type of `env`. */
export type Bindings = Record<string, KVNamespace | DurableObjectNamespace | CryptoKey | string>;

/** A namespace of Groups: typed by its class, or as `dog` has it. */
export type GroupNamespace<T> = (DurableObjectNamespace & Group<T>) | DurableObjectNamespace<Group<T>>;
/** A namespace of Replicas: typed by its class, or as `dog` has it. */
export type ReplicaNamespace<T> = (DurableObjectNamespace & Replica<T>) | DurableObjectNamespace<Replica<T>>;

/** The two namespaces that make a group. */
export interface Family<T = any> {
  parent: GroupNamespace<T>;
  child: ReplicaNamespace<T>;
}
