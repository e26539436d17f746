// What identify(), a Group and its Replicas tell each other.
//
// A place is one connection of a Replica. Its ticket names it. The Group reserves it, the Replica reports that it has
// arrived and that it has ended. A report names tickets, not sums, so a report that is repeated or lost does no harm;
// `life` and `seq` order the reports of a Replica, so one that is overtaken is dropped.

import type { GroupID, ReplicaID, RequestID } from "./api.js";

export type Ticket = string;

/** The headers that carry the ids on every fetch of a Replica. The first three are those of `dog`. */
export const HEADER = {
  group: "x-dog-group-identifier",
  replica: "x-dog-replica-identifier",
  request: "x-dog-client-identifier",
  /** "<ticket> <fresh>"; without it the Replica asks the Group for a place. */
  ticket: "x-dolmen-ticket",
} as const;

/** A reserved place. */
export interface Placement {
  replica: ReplicaID;
  ticket: Ticket;
  /** Until then, in ms since 1970, the Replica may take the ticket without asking. The Group frees the place later. */
  fresh: number;
}

export interface Report {
  replica: ReplicaID;
  /** The life of the Replica: higher for every instance that reports. */
  life: number;
  /** The number of this report in its life. */
  seq: number;
  /** The highest number of a peer that the Replica knows. */
  known: number;
  /** All connections there are: in the first report of a life, and when the Group asks. */
  live?: Ticket[];
  /** Connections that the Group may not know to have arrived. */
  arrived: [Ticket, RequestID][];
  /** Connections that the Group may not know to have ended. */
  ended: Ticket[];
}

export interface Answer {
  /** The Group needs `live`: it knows no report of this life. */
  whole: boolean;
  /** The highest life of the Replica that the Group has heard of. A report of a lower one is dropped. */
  life: number;
  /** Tickets in `live` that the Group does not know: it needs their request ids. */
  unknown: Ticket[];
  /** Peers that the Replica does not know. */
  introduction?: Introduction;
}

/** Replicas are numbered from 1 in the order they were made. `ids` are those above `after`, up to `known`, but itself. */
export interface Introduction {
  after: number;
  known: number;
  ids: ReplicaID[];
}

/** A message for the sockets of a peer. */
export interface Delivery {
  body: string;
  /** Only to sockets of this request id. */
  to?: RequestID;
  /** Not to sockets of this request id. */
  except?: RequestID;
}

/** The RPC methods of a Group that are the library's own. */
export interface GroupCalls {
  $reserve(request: RequestID, ticket: Ticket): Promise<Placement>;
  $admit(replica: ReplicaID, request: RequestID, ticket: Ticket): Promise<Placement | null>;
  $cancel(ticket: Ticket): Promise<void>;
  $report(report: Report): Promise<Answer>;
  $where(request: RequestID): Promise<ReplicaID[]>;
}

/** The RPC methods of a Replica that are the library's own. */
export interface ReplicaCalls {
  $introduce(group: GroupID, name: string | undefined, introduction: Introduction): Promise<number>;
  $audit(group: GroupID, seen: number): Promise<Report>;
  $deliver(delivery: Delivery): Promise<void>;
  $gossip(message: string): Promise<string>;
}

const REQUEST_ID_LIMIT = 2048;

/** The request id as text; a TypeError if it cannot be one. */
export function requestId(value: unknown): RequestID {
  const text = String(value);
  // It travels in a header, which would trim or refuse anything else.
  if (text.length <= REQUEST_ID_LIMIT && /^[!-~]([ -~]*[!-~])?$/.test(text)) return text;
  throw new TypeError(`A request id is 1 to ${REQUEST_ID_LIMIT} printable ASCII characters, without spaces around it.`);
}
