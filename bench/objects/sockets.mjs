// The benchmark's worker of WebSockets: workerd and Dolmen run this same file. `/socket/<name>` opens a hibernatable
// socket of that object, which answers every message with the same text; "all …" goes to all of its sockets.
import { DurableObject } from "cloudflare:workers";

export class Room extends DurableObject {
  #hasOpened = false;

  fetch() {
    this.#hasOpened = true;
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, text) {
    if (text.startsWith("all ")) {
      for (const each of this.ctx.getWebSockets()) each.send(text);
    } else if (text === "woken?") {
      // An instance that has not seen its sockets open was made by a message to an object that had hibernated.
      socket.send(this.#hasOpened ? "no" : "yes");
    } else {
      socket.send(text);
    }
  }
}

export default {
  fetch(request, env) {
    const [, , , what, name] = request.url.split("/");
    return what === "socket" ? env.ROOM.getByName(name).fetch(request) : new Response("hello, bench");
  },
};
