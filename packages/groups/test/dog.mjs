// A worker as it is written for `dog`: its import, classes that extend nothing else, a constructor of (state, env).

import { Group, Replica, identify } from "dog";

export class Lobby extends Group {
  limit = 2;

  link(env) {
    return { child: env.ROOM, self: env.LOBBY };
  }
}

export class Room extends Replica {
  constructor(state, env) {
    super(state, env);
    this.users = new Map(); // kept while there are sockets
  }

  link(env) {
    return { parent: env.LOBBY, self: env.ROOM };
  }

  receive(req) {
    const { pathname } = new URL(req.url);
    return pathname === "/ws" ? this.connect(req) : new Response(`PATH: "${pathname}"`);
  }

  onopen(socket) {
    this.users.set(socket.uid, this.users.size);
    return socket.broadcast({ type: "join", from: socket.uid });
  }

  onclose(socket) {
    this.users.delete(socket.uid);
    return socket.broadcast(JSON.stringify({ type: "exit", from: socket.uid }));
  }

  async onmessage(socket, data) {
    const input = JSON.parse(data);
    if (input.type === "list") {
      const others = await this.gossip({ type: "list" });
      return socket.send(JSON.stringify({ type: "list", all: [...this.users.keys(), ...others.flat()].sort() }));
    }
    if (input.type === "group") return socket.emit(input, true);
    if (input.type === "whisper") return socket.whisper(input.to, input);
    socket.broadcast(input, true);
  }

  ongossip(msg) {
    if (msg.type === "list") return [...this.users.keys()];
    throw new Error(`Missing "${msg.type}" handler`);
  }
}

export default {
  async fetch(req, env) {
    const id = env.LOBBY.idFromName("lobby");
    const reqid = new URL(req.url).searchParams.get("u") || "anon";
    const replica = await identify(id, reqid, { parent: env.LOBBY, child: env.ROOM });
    return replica.fetch(req);
  },
};
