// A component in JavaScript: an object that counts, and a WebSocket that echoes.
import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from "wasi:http/types@0.2.10";
import { name } from "dolmen:object/identity@0.1.0";
import * as sockets from "dolmen:object/sockets@0.1.0";
import * as storage from "dolmen:object/storage@0.1.0";

const PIECE_BYTES = 4096n;
let requests = 0;

function increment() {
  const before = storage.get("count");
  const count = before ? Number(new TextDecoder().decode(before)) + 1 : 1;
  storage.put("count", new TextEncoder().encode(String(count)));
  return count;
}

function answer(out, status, pieces) {
  const response = new OutgoingResponse(Fields.fromList([["content-type", new TextEncoder().encode("text/plain")]]));
  response.setStatusCode(status);
  const body = response.body();
  ResponseOutparam.set(out, { tag: "ok", val: response });
  const stream = body.write();
  for (const piece of pieces) stream.blockingWriteAndFlush(piece);
  stream[Symbol.dispose]();
  OutgoingBody.finish(body, undefined);
}

function* pieces(request) {
  const body = request.consume();
  const stream = body.stream();
  try {
    for (;;) yield stream.blockingRead(PIECE_BYTES);
  } catch (error) {
    if (error.payload?.tag !== "closed") throw error;
  } finally {
    stream[Symbol.dispose]();
    body[Symbol.dispose]();
  }
}

function respond(request, out) {
  const text = (text) => [new TextEncoder().encode(text)];
  switch (request.pathWithQuery()) {
    case "/count": return answer(out, 200, text(`${name()} ${increment()} ${requests}`));
    case "/echo": return answer(out, 200, pieces(request));
    case "/throw": increment(); throw new Error("thrown");
    default: return answer(out, 404, text("not found"));
  }
}

export const incomingHandler = {
  handle(request, out) {
    requests += 1;
    respond(request, out);
    // An instance lives long, and may have 8,192 resources: what it does not need it gives back.
    request[Symbol.dispose]();
  },
};

export const events = {
  alarm() {},
  websocketOpen() { return []; },
  websocketMessage(socket, request, message) { sockets.send(socket, message); },
  websocketClose() {},
};
