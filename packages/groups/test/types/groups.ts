// Code as one writes it now: namespaces typed by their class. What must not compile says so.

import { Group, Replica, identify, type Socket } from "dolmen:groups";

interface Env {
  LOBBY: DurableObjectNamespace<Lobby>;
  ROOM: DurableObjectNamespace<Room>;
  KV: KVNamespace;
}

export class Lobby extends Group<Env> {
  limit = 10;
  override reservationMs = 5000;

  link(env: Env) {
    return { child: env.ROOM, self: env.LOBBY };
  }

  async busy(): Promise<number> {
    return Math.max(...(await this.usage()).values(), this.ctx.storage.sql.databaseSize);
  }
}

export class Room extends Replica<Env> {
  override hibernation = false;

  link(env: Env) {
    return { parent: env.LOBBY, self: env.ROOM };
  }

  async receive(req: Request): Promise<Response> {
    await this.env.KV.get("x");
    return this.connect(req);
  }

  override onopen(socket: Socket) {
    socket.serializeAttachment({ since: Date.now() });
    socket.send({ hello: socket.uid });
    socket.send(new Uint8Array(1));
    // @ts-expect-error a socket keeps the id it was opened with
    socket.uid = "other";
    // @ts-expect-error a message is text or JSON
    socket.emit(1n);
    // @ts-expect-error a whisper has a target
    socket.whisper({ text: "hello" });
    // @ts-expect-error gossip is an object
    this.gossip("psst");
  }

  override onpeererror(peer: string, error: unknown) {
    console.warn(peer, error);
  }

  override async onmessage(_socket: Socket, data: string) {
    await this.broadcast(data);
  }
}

export async function use(env: Env): Promise<Map<string, number>> {
  const group = env.LOBBY.idFromName("x");
  const stub = await identify(group, "me", { parent: env.LOBBY, child: env.ROOM });
  await stub.fetch("http://room/");
  // @ts-expect-error a request id is text
  await identify(group, 5, { parent: env.LOBBY, child: env.ROOM });
  // @ts-expect-error the group is an id, not its name
  await identify("x", "me", { parent: env.LOBBY, child: env.ROOM });
  // @ts-expect-error both namespaces are needed
  await identify(group, "me", { parent: env.LOBBY });
  // @ts-expect-error the parent is a namespace of Groups
  await identify(group, "me", { parent: env.ROOM, child: env.ROOM });
  // @ts-expect-error the child is a namespace of Replicas
  await identify(group, "me", { parent: env.LOBBY, child: env.LOBBY });
  return env.LOBBY.get(group).usage();
}

// @ts-expect-error a Group has a limit
export class NoLimit extends Group<Env> {
  link(env: Env) {
    return { child: env.ROOM, self: env.LOBBY };
  }
}

// @ts-expect-error a Replica answers
export class NoReceive extends Replica<Env> {
  link(env: Env) {
    return { parent: env.LOBBY, self: env.ROOM };
  }
}

export class Crossed extends Group<Env> {
  limit = 1;

  // @ts-expect-error the child of a Group is a Replica
  link(env: Env) {
    return { child: env.LOBBY, self: env.LOBBY };
  }
}

// @ts-expect-error Group is abstract
export const none = new Group({} as DurableObjectState, {});

export class Wrong extends Replica<Env> {
  link(env: Env) {
    return { parent: env.LOBBY, self: env.ROOM };
  }

  receive() {
    return new Response();
  }

  // @ts-expect-error onmessage gets text
  override onmessage(_socket: Socket, data: number) {
    return data;
  }
}
