// A chat of rooms. A room is a Group; who is in it is spread over Replicas, the tables of the room. An idle room costs
// nothing: its tables hibernate, and what is to be known of a person is kept with the socket.

import { Group, Replica, identify } from "dolmen:groups";
import { html, script, style } from "./page.mjs";

/// People at a table. A real chat has room for hundreds; two make tables that one can see with three windows.
const SEATS = 2;
const TEXT_LIMIT = 2000;
const NAME_LIMIT = 32;

export class ChatRoom extends Group {
  limit = SEATS;

  link(env) {
    return { child: env.TABLE, self: env.CHAT_ROOM };
  }
}

export class Table extends Replica {
  link(env) {
    return { parent: env.CHAT_ROOM, self: env.TABLE };
  }

  receive(req) {
    return this.connect(req);
  }

  async onmessage(socket, data) {
    const { name, to, text } = JSON.parse(data);
    if (name !== undefined) return this.enter(socket, name);
    const from = socket.deserializeAttachment();
    if (!from || !isText(text, TEXT_LIMIT)) return;
    const message = { type: "say", from, to, text: text.trim(), at: Date.now() };
    if (to === "all") return socket.broadcast(message, true);
    if (to === "table") return socket.emit(message, true);
    await socket.whisper(to, message);
    socket.send(message);
  }

  async enter(socket, name) {
    if (!isText(name, NAME_LIMIT)) return socket.close(4000, `A name has up to ${NAME_LIMIT} characters.`);
    const me = { id: socket.uid, name: name.trim(), table: this.uid.slice(0, 4) };
    socket.serializeAttachment(me);
    socket.send({ type: "welcome", me, people: await this.everybody() });
    await socket.broadcast({ type: "join", person: me });
  }

  async onclose(socket) {
    const person = socket.deserializeAttachment();
    // Whoever has a second window open is still here.
    if (!person || (await this.everybody()).some(({ id }) => id === person.id)) return;
    await socket.broadcast({ type: "leave", person });
  }

  ongossip({ ask }) {
    return ask === "people" ? this.people() : [];
  }

  /// Who is at this table.
  people() {
    return this.sockets().map((socket) => socket.deserializeAttachment()).filter((person) => person !== null);
  }

  /// Who is in the room.
  async everybody() {
    const others = await this.gossip({ ask: "people" });
    return [...this.people(), ...others.flat()];
  }
}

const isText = (value, limit) => typeof value === "string" && value.trim() !== "" && value.length <= limit;

const file = (body, type) => new Response(body, {
  headers: { "content-type": `${type}; charset=utf-8`, "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'none'" },
});

export default {
  async fetch(req, env) {
    const url = new URL(req.url);
    if (url.pathname === "/") return file(html, "text/html");
    if (url.pathname === "/chat.js") return file(script, "text/javascript");
    if (url.pathname === "/chat.css") return file(style, "text/css");
    const [, room] = url.pathname.match(/^\/rooms\/([\w-]{1,64})$/) ?? [];
    const id = url.searchParams.get("id") ?? "";
    if (!room) return new Response("There is nothing here.", { status: 404 });
    if (!/^[0-9a-f]{32}$/.test(id)) return new Response("Say who you are.", { status: 400 });
    const seat = await identify(env.CHAT_ROOM.idFromName(room), id, { parent: env.CHAT_ROOM, child: env.TABLE });
    return seat.fetch(req);
  },
};
