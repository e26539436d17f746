// Code as it is written for `dog`: its type names, its namespaces as intersections, classes with a constructor of their own.

import { Group, Replica, identify } from "dog";
import type { Bindings, Family, Gossip, GroupID, JSON as Json, Message, ReplicaID, RequestID, Socket, State } from "dog";

interface Env extends Bindings {
  LOBBY: DurableObjectNamespace & Group<Env>;
  ROOM: DurableObjectNamespace & Replica<Env>;
  SECRET: string;
}

export class Lobby extends Group<Env> {
  limit = 50;

  link(env: Env) {
    return { child: env.ROOM, self: env.LOBBY };
  }

  override clusterize(_req: Request, target: DurableObjectNamespace): DurableObjectId {
    return target.newUniqueId({ jurisdiction: "eu" });
  }
}

export class Room extends Replica<Env> {
  readonly names = new Map<RequestID, string>();
  readonly secret: string;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.secret = env.SECRET;
  }

  link(env: Env) {
    return { parent: env.LOBBY, self: env.ROOM };
  }

  receive(req: Request) {
    return new URL(req.url).pathname === "/ws" ? this.connect(req) : new Response("OK");
  }

  override onopen(socket: Socket) {
    return socket.broadcast({ type: "join", id: socket.uid }, true);
  }

  override async onmessage(socket: Socket, data: string) {
    const input = JSON.parse(data) as { to?: string; text: string };
    const message: Message = { from: socket.uid, text: input.text };
    if (input.to) await socket.whisper(input.to, message);
    else socket.emit(message, true);
    const scores: Gossip.Payload[] = await this.gossip({ type: "scores" });
    socket.send(JSON.stringify(scores.flat()));
  }

  override onclose(socket: Socket): void {
    this.names.delete(socket.uid);
    socket.close(1000, "bye");
  }

  override onerror(socket: Socket) {
    this.emit(`${socket.uid} is lost`);
  }

  override ongossip(msg: Gossip.Message): Gossip.Payload {
    if (msg["type"] === "scores") return [...this.names];
    throw new Error("what?");
  }
}

export default {
  async fetch(req, env) {
    const group: DurableObjectId = env.LOBBY.idFromName("lobby");
    const family: Family<Env> = { parent: env.LOBBY, child: env.ROOM };
    const stub: DurableObjectStub = await identify(group, "somebody", family);
    const again = await identify<Env>(group, "somebody", { parent: env.LOBBY, child: env.ROOM });
    return req.url === again.name ? stub.fetch(req.url, { method: "POST" }) : again.fetch(req);
  },
} satisfies ExportedHandler<Env>;

// The types that only name things.
export const ids: [GroupID, ReplicaID, RequestID] = ["g", "r", "q"];
export const value: Json.Value = [{ deep: [null, 1, true, "x", new Date()] }];
export const state: State = { group: "g", socket: new Set<WebSocket>() };
