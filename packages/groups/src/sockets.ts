// The sockets of a Replica. A hibernatable socket carries its ticket and request id in its attachment, so that they are
// there again when the Replica wakes up.

import type { Message, RequestID, Socket } from "./api.js";
import type { Ticket } from "./protocol.js";

/** An accepted socket and the place it has. */
export interface Connection {
  readonly ticket: Ticket;
  readonly request: RequestID;
  readonly ws: WebSocket;
  readonly socket: Socket;
}

/** What the attachment of a hibernatable socket holds: ours under `dog`, that of the listeners under `own`. */
interface Attachment {
  dog: { ticket: Ticket; request: RequestID };
  own?: unknown;
}

/** What a socket does beyond itself. */
export interface Reach {
  emit(message: Message, except?: RequestID): void;
  broadcast(message: Message, except?: RequestID): Promise<void>;
  whisper(from: RequestID, target: RequestID, message: Message): Promise<void>;
}

/** The text that is sent for a message. */
export function textOf(message: Message): string {
  return typeof message === "string" ? message : JSON.stringify(message);
}

export class Sockets {
  readonly #reach: Reach;
  readonly #byWebSocket = new Map<WebSocket, Connection>();
  readonly #byRequest = new Map<RequestID, Set<Connection>>();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  get size(): number {
    return this.#byWebSocket.size;
  }

  /** A hibernatable socket that is there again; undefined for one that is not of a Replica's `connect`. */
  resume(ws: WebSocket): Connection | undefined {
    const attachment = ws.deserializeAttachment() as Attachment | null;
    return attachment?.dog && this.#add(ws, attachment.dog.ticket, attachment.dog.request, hibernated(ws));
  }

  /** Adds a socket that was accepted, hibernatable or not. */
  add(ws: WebSocket, ticket: Ticket, request: RequestID, kind: "hibernatable" | "standard"): Connection {
    if (kind === "standard") return this.#add(ws, ticket, request, remembered());
    ws.serializeAttachment({ dog: { ticket, request } } satisfies Attachment);
    return this.#add(ws, ticket, request, hibernated(ws));
  }

  /** Takes a socket out; undefined if it is out already. */
  remove(ws: WebSocket): Connection | undefined {
    const connection = this.#byWebSocket.get(ws);
    if (connection === undefined) return undefined;
    this.#byWebSocket.delete(ws);
    const same = this.#byRequest.get(connection.request);
    same?.delete(connection);
    if (same?.size === 0) this.#byRequest.delete(connection.request);
    return connection;
  }

  get(ws: WebSocket): Connection | undefined {
    return this.#byWebSocket.get(ws);
  }

  /** The socket that has this ticket. */
  holding(request: RequestID, ticket: Ticket): Connection | undefined {
    for (const connection of this.#byRequest.get(request) ?? []) if (connection.ticket === ticket) return connection;
    return undefined;
  }

  /** The sockets, in no order, or those of one request id. */
  list(target?: RequestID): Socket[] {
    const connections = target === undefined ? this.#byWebSocket.values() : (this.#byRequest.get(target) ?? []);
    return Array.from(connections, ({ socket }) => socket);
  }

  /** Sends to all sockets but those of the request id `except`. */
  emit(text: string, except?: RequestID): void {
    for (const connection of this.#byWebSocket.values()) if (connection.request !== except) deliver(connection.ws, text);
  }

  /** Sends to the sockets of one request id. */
  whisper(text: string, target: RequestID): void {
    for (const connection of this.#byRequest.get(target) ?? []) deliver(connection.ws, text);
  }

  #add(ws: WebSocket, ticket: Ticket, request: RequestID, attachment: Pick<Socket, "serializeAttachment" | "deserializeAttachment">): Connection {
    const reach = this.#reach;
    const socket: Socket = {
      uid: request,
      send: (message) => ws.send(typeof message === "string" || message instanceof ArrayBuffer || ArrayBuffer.isView(message) ? message : textOf(message)),
      close: (code, reason) => ws.close(code, reason),
      emit: (message, self) => reach.emit(message, self ? undefined : request),
      broadcast: (message, self) => reach.broadcast(message, self ? undefined : request),
      whisper: (target, message) => reach.whisper(request, target, message),
      ...attachment,
    };
    const connection = { ticket, request, ws, socket };
    this.#byWebSocket.set(ws, connection);
    const same = this.#byRequest.get(request);
    if (same) same.add(connection);
    else this.#byRequest.set(request, new Set([connection]));
    return connection;
  }
}

// A socket that is closing refuses: it hears no more, and the others are not to suffer for it.
function deliver(ws: WebSocket, text: string): void {
  try {
    ws.send(text);
  } catch {}
}

function hibernated(ws: WebSocket): Pick<Socket, "serializeAttachment" | "deserializeAttachment"> {
  const read = () => ws.deserializeAttachment() as Attachment;
  return {
    serializeAttachment: (own) => ws.serializeAttachment({ dog: read().dog, own } satisfies Attachment),
    deserializeAttachment: () => read().own ?? null,
  };
}

function remembered(): Pick<Socket, "serializeAttachment" | "deserializeAttachment"> {
  let own: unknown = null;
  return {
    serializeAttachment: (value) => void (own = structuredClone(value)),
    deserializeAttachment: () => structuredClone(own),
  };
}
