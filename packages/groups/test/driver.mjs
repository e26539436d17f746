// What the tests share: a list of tests, a client for the worker's paths, and sockets that keep what they got.

import assert from "node:assert/strict";
import { setTimeout as passed } from "node:timers/promises";
import { WebSocket } from "ws";
import { http } from "../../../tests/conformance/server.mjs";

/** How long anything may take that a test waits for. */
const LIMIT_MS = 15_000;

/** An idle object leaves memory after this long, and tells nobody: fixed in workerd, a flag of Dolmen. */
export const IDLE_MS = { workerd: 10_000, dolmen: 500 };

/// Resolves when what was idle has left memory.
export function idle(on) {
  return passed(IDLE_MS[on] + 3000);
}

export const tests = [];

/// Registers a test. `options.slow` marks one that waits for the clock.
export function test(name, options, body) {
  if (typeof options === "function") [options, body] = [{}, options];
  tests.push({ name, options, body });
}

export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: nothing within ${LIMIT_MS} ms`)), LIMIT_MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// A group of its own for one test. `host` has the server, which a test may end and start again.
export class Room {
  constructor(host, name) {
    this.host = host;
    this.name = name;
    this.sockets = [];
  }

  path(what, query = {}) {
    return `/${encodeURIComponent(this.name)}/${what}?${new URLSearchParams(query)}`;
  }

  /// A request to the worker: {status, headers, body}.
  request(what, { query, ...options } = {}) {
    const answer = http(this.host.server, { path: this.path(what, query), ...options });
    // A request that outlives its test is cut off when a later one kills the server.
    answer.catch(() => {});
    return answer;
  }

  async json(what, query, options = {}) {
    const { status, body } = await this.request(what, { query, ...options });
    assert.equal(status, 200, `${what}: ${body}`);
    return JSON.parse(body);
  }

  post(what, query, body) {
    return this.request(what, { query, method: "POST", body: JSON.stringify(body) });
  }

  group(method, ...args) {
    return this.json("-group", { method, args: JSON.stringify(args) });
  }

  replica(id, method, ...args) {
    return this.json("-replica", { id, method, args: JSON.stringify(args) });
  }

  /// Resets a Group or Replica: the call itself fails.
  async reset(what, query, method = "reset") {
    const { status, body } = await this.request(what, { query: { method, ...query } });
    assert.equal(status, 599, body);
  }

  /// The places taken of each Replica in the order they were made, from the database; checked to agree with its rows.
  async places() {
    const places = await this.group("places");
    for (const { used, rows } of places) assert.equal(used, rows);
    return places.map(({ used }) => used);
  }

  /// The places taken of each Replica in the order they were made, asked of the Replicas.
  async usage() {
    await this.json("-usage");
    return this.places();
  }

  /// Opens a socket and waits for its greeting.
  async open(id, what = "ws") {
    const socket = new Client(`ws://127.0.0.1:${this.host.server.port}${this.path(what, { id })}`);
    this.sockets.push(socket);
    const { hello, replica, born } = await socket.next((message) => message.hello === id);
    Object.assign(socket, { id: hello, replica, born });
    return socket;
  }

  end() {
    for (const socket of this.sockets) socket.ws.terminate();
  }
}

/// A WebSocket client. `next(filter)` is the next message that fits, in the order they came; each is returned once.
export class Client {
  #got = [];
  #waiting = [];

  constructor(url) {
    this.ws = new WebSocket(url);
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the socket closed: ${code}`));
      });
    });
    this.failed = new Promise((resolve) => this.ws.on("error", resolve));
    this.ws.on("message", (data, binary) => {
      const message = binary ? data : parsed(data.toString());
      const index = this.#waiting.findIndex(({ fits }) => fits(message));
      if (index === -1) this.#got.push(message);
      else this.#waiting.splice(index, 1)[0].resolve(message);
    });
  }

  next(fits = () => true) {
    const index = this.#got.findIndex(fits);
    if (index !== -1) return Promise.resolve(this.#got.splice(index, 1)[0]);
    return within(new Promise((resolve, reject) => this.#waiting.push({ fits, resolve, reject })), `message ${fits}`);
  }

  say(what) {
    this.ws.send(JSON.stringify(what));
  }

  /// What came until everything that the Replica sent to this socket before now is here.
  async all() {
    const mark = Math.random();
    this.say({ act: "done", msg: mark });
    await this.next((message) => message.done === mark);
    return this.#got.splice(0);
  }

  async close(code = 1000, reason = "") {
    this.ws.close(code, reason);
    return within(this.closed, "close");
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
