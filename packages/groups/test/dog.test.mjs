// Code as it is written for `dog`.

import assert from "node:assert/strict";
import { http } from "../../../tests/conformance/server.mjs";
import { Client, idle, test, within } from "./driver.mjs";

test("code written for dog runs, also after a pause", { slow: true }, async ({ host, on }) => {
  const server = await host.other("dog.mjs");
  try {
    const open = async (id) => {
      const socket = new Client(`ws://127.0.0.1:${server.port}/ws?u=${id}`);
      await within(new Promise((resolve) => socket.ws.on("open", resolve)), "open");
      return socket;
    };
    const of = (type) => (message) => message.type === type;
    assert.equal((await http(server, { path: "/x?u=a" })).body, 'PATH: "/x"');
    const [a, b, c] = [await open("a"), await open("b"), await open("c")];
    assert.deepEqual([await a.next(of("join")), await a.next(of("join"))].map(({ from }) => from), ["b", "c"]);
    await idle(on);
    a.say({ type: "list" });
    assert.deepEqual((await a.next(of("list"))).all, ["a", "b", "c"]);
    a.say({ type: "group", text: "here" });
    await Promise.all([a, b].map((socket) => socket.next(of("group"))));
    c.say({ type: "all", text: "everywhere" });
    await Promise.all([a, b, c].map((socket) => socket.next(of("all"))));
    c.say({ type: "whisper", to: "a", text: "psst" });
    assert.equal((await a.next(of("whisper"))).text, "psst");
    await b.close();
    assert.equal((await c.next(of("exit"))).from, "b");
    for (const socket of [a, c]) socket.ws.terminate();
  } finally {
    await server.stop("SIGKILL");
  }
});
