// A WebSocket client as small as the checks need: short messages, no fragments, no extensions (RFC 6455).

import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";

const LIMIT_MS = 30_000;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const FINAL = 0x80;
const MASKED = 0x80;
const LONGEST = 125;

/// Opens a socket: {send(text or Buffer), next(), close(code), end()}. A refusal resolves to {status, text}.
/// `next` resolves to a text, a Buffer, or {code, reason} of a close.
export function connect(server, path) {
  return new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64") };
    const request = httpRequest({ host: "127.0.0.1", port: server.port, path, headers, agent: false });
    const timer = setTimeout(() => request.destroy(new Error(`${path}: no WebSocket within ${LIMIT_MS} ms`)), LIMIT_MS);
    request.on("error", (error) => { clearTimeout(timer); reject(error); });
    request.on("upgrade", (_, socket, first) => { clearTimeout(timer); resolve(opened(socket, first)); });
    request.on("response", async (response) => {
      const parts = await response.toArray();
      clearTimeout(timer);
      resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() });
    });
    request.end();
  });
}

function opened(socket, first) {
  let held = Buffer.alloc(0);
  const arrived = [];
  const waiting = [];
  const deliver = (message) => (waiting.length > 0 ? waiting.shift()(message) : arrived.push(message));
  let closing = false;
  const close = (code) => {
    closing = true;
    socket.write(frame(CLOSE, Buffer.from([code >> 8, code & 0xff])));
  };
  const read = (data) => {
    held = Buffer.concat([held, data]);
    for (let next = take(held); next; next = take(held)) {
      held = held.subarray(next.size);
      // Who did not begin to close answers in kind.
      if (next.message.code && !closing) close(next.message.code);
      deliver(next.message);
    }
  };
  socket.on("data", read);
  socket.on("error", (error) => deliver({ code: 1006, reason: error.message }));
  socket.on("end", () => deliver({ code: 1006, reason: "the connection ended" }));
  if (first.length > 0) read(first);
  return {
    send: (message) => socket.write(frame(typeof message === "string" ? TEXT : BINARY, Buffer.from(message))),
    close,
    end: () => socket.destroy(),
    next: () => new Promise((resolve, reject) => {
      if (arrived.length > 0) return resolve(arrived.shift());
      const timer = setTimeout(() => reject(new Error(`no message within ${LIMIT_MS} ms`)), LIMIT_MS);
      waiting.push((message) => { clearTimeout(timer); resolve(message); });
    }),
  };
}

function frame(kind, payload) {
  if (payload.length > LONGEST) throw new Error(`a message of the checks is longer than ${LONGEST} bytes`);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([FINAL | kind, MASKED | payload.length]), mask, payload.map((byte, i) => byte ^ mask[i % 4])]);
}

/// The first frame of what has arrived, if all of it is there.
function take(data) {
  if (data.length < 2) return undefined;
  const length = data[1];
  if (length > LONGEST) throw new Error("a message of the handler is longer than the checks expect");
  if (data.length < 2 + length) return undefined;
  const payload = Buffer.from(data.subarray(2, 2 + length));
  const kind = data[0] & 0x0f;
  const close = () => ({ code: length >= 2 ? payload.readUInt16BE() : 1005, reason: payload.subarray(2).toString() });
  return { size: 2 + length, message: kind === TEXT ? payload.toString() : kind === CLOSE ? close() : payload };
}
