// What was begun outside a critical section waits for its end, whatever it is, and a section that waits for such a
// thing is found out.
import { DurableObject } from "cloudflare:workers";
import { test, assert, serve, sleep } from "../harness.js";

// Answers /slow after `ms`, /pieces in two pieces, the second after `ms`, and /echo with what it gets.
export default {
  async fetch(request, env, ctx) {
    const answer = await serve(request, env, ctx);
    if (answer) return answer;
    const url = new URL(request.url);
    const ms = Number(url.searchParams.get("ms"));
    if (url.pathname === "/echo") return new Response(request.body);
    if (url.pathname === "/slow") {
      await sleep(ms);
      return new Response("slow");
    }
    return new Response(inPieces(ms));
  },
};

const text = new TextEncoder();
const inPieces = (ms) => {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  (async () => {
    await writer.write(text.encode("first"));
    await sleep(ms);
    await writer.write(text.encode("second"));
    await writer.close();
  })();
  return readable;
};

export class Other extends DurableObject {
  nap(ms) { return sleep(ms); }
  pieces(ms) { return inPieces(ms); }
  async fetch(request) {
    const ms = Number(new URL(request.url).searchParams.get("ms"));
    return new Response(inPieces(ms));
  }
  async drain(stream, ms) {
    await sleep(ms);
    return (await new Response(stream).text()).length;
  }
}

const rest = async (reader) => {
  let n = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return n;
    n += value.length;
  }
};

// How each begins something that goes on outside and takes about `ms`.
const operations = {
  fetch: async ({ origin }, ms) => { await fetch(`${origin}/slow?ms=${ms}`); },
  "the body of a fetch": async ({ origin }, ms, opened) => {
    const reader = (await fetch(`${origin}/pieces?ms=${ms}`)).body.getReader();
    await reader.read();
    opened();
    await rest(reader);
  },
  "the text of a fetch": async ({ origin }, ms, opened) => {
    const response = await fetch(`${origin}/pieces?ms=${ms}`);
    opened();
    await response.text();
  },
  "a call": async ({ other }, ms) => { await other.nap(ms); },
  "the fetch of a stub": async ({ other }, ms) => { await (await other.fetch(`http://other/?ms=${ms}`)).text(); },
  "the body of a stub's fetch": async ({ other }, ms, opened) => {
    const reader = (await other.fetch(`http://other/?ms=${ms}`)).body.getReader();
    await reader.read();
    opened();
    await rest(reader);
  },
  "a stream in a result": async ({ other }, ms, opened) => {
    const reader = (await other.pieces(ms)).getReader();
    await reader.read();
    opened();
    await rest(reader);
  },
  "a timer": async (_with, ms) => { await sleep(ms); },
};

export class Section extends DurableObject {
  instance = crypto.randomUUID();
  which() { return this.instance; }
  async begin(what, origin, ms) {
    const log = [];
    const other = this.env.OTHER.getByName(`${this.ctx.id.name}/other`);
    let opened;
    const open = new Promise((done) => { opened = done; });
    const ended = operations[what]({ origin, other }, ms, opened).then(() => { log.push("operation"); });
    // Those with something to open have begun their slow part only then.
    if (operations[what].length === 3) await open;
    return { log, ended };
  }
  async outside(what, origin) {
    const { log, ended } = await this.begin(what, origin, 30);
    await this.ctx.blockConcurrencyWhile(async () => {
      log.push("section");
      await sleep(150);
      log.push("section ends");
    });
    await ended;
    return log;
  }
  async inside(what, origin) {
    return this.ctx.blockConcurrencyWhile(async () => {
      const { log, ended } = await this.begin(what, origin, 10);
      await ended;
      return log;
    });
  }
  async stuck(what, origin) {
    const { ended } = await this.begin(what, origin, 10);
    await this.ctx.blockConcurrencyWhile(() => ended);
    return "went on";
  }
  async stuckBeside(origin) {
    const never = this.env.OTHER.getByName(`${this.ctx.id.name}/other`).nap(15_000);
    const fetched = fetch(`${origin}/slow?ms=15000`);
    const timer = sleep(15_000);
    await this.ctx.blockConcurrencyWhile(async () => { await sleep(5); await Promise.race([never, fetched, timer]); });
    return "went on";
  }
  async streamsInside(how, origin) {
    return this.ctx.blockConcurrencyWhile(async () => {
      const other = this.env.OTHER.getByName(`${this.ctx.id.name}/other`);
      let pieces = 3;
      const made = new ReadableStream({
        async pull(controller) {
          await other.nap(1);
          if (pieces-- > 0) controller.enqueue(text.encode("piece"));
          else controller.close();
        },
      }, { highWaterMark: 0 });
      if (how === "call") return other.drain(made, 5);
      const response = await fetch(`${origin}/echo`, { method: "POST", body: made });
      return (await response.text()).length;
    });
  }
  async computedOutside() {
    const digest = crypto.subtle.digest("SHA-256", new Uint8Array(4_000_000));
    return this.ctx.blockConcurrencyWhile(async () => (await digest).byteLength);
  }
  async storedOutside() {
    const put = this.ctx.storage.put("k", 1);
    const got = this.ctx.storage.get("k");
    return this.ctx.blockConcurrencyWhile(async () => { await put; return got; });
  }
  async waitsForNothing() {
    await this.ctx.blockConcurrencyWhile(() => new Promise(() => {}));
    return "went on";
  }
}

for (const what of Object.keys(operations)) {
  test(`${what}, begun outside, ends after the section`, async ({ env, name, origin }) => {
    assert.deepEqual(await env.SECTION.getByName(name).outside(what, origin), ["section", "section ends", "operation"]);
  });

  test(`${what}, begun inside, gets in`, async ({ env, name, origin }) => {
    assert.deepEqual(await env.SECTION.getByName(name).inside(what, origin), ["operation"]);
  });
}

for (const how of ["call", "fetch"]) {
  test(`a stream that a section makes, for a ${how}`, { slow: true }, async ({ env, name, origin }) => {
    assert.equal(await env.SECTION.getByName(name).streamsInside(how, origin), 15);
  });
}

test("a section may wait for what was computed or stored outside", async ({ env, name }) => {
  assert.equal(await env.SECTION.getByName(name).computedOutside(), 32);
  assert.equal(await env.SECTION.getByName(name).storedOutside(), 1);
});

const stuck = {
  class: "Error",
  message: "A critical section within this Durable Object awaited a Promise that apparently will never complete. This could happen in particular if a critical section awaits a task that was initiated outside of the critical section. Since a critical section blocks all other tasks from completing, this leads to deadlock.",
  durableObjectReset: true,
};

test("a section that waits for what was begun outside", { slow: true }, async ({ env, name, origin }) => {
  await Promise.all(Object.keys(operations).map(async (what) => {
    const stub = () => env.SECTION.getByName(`${name}/${what}`);
    const instance = await stub().which();
    await assert.rejects(stub().stuck(what, origin), stuck);
    assert.notEqual(await stub().which(), instance);
  }));
});

test("a section that waits for nothing, while much is under way outside", { slow: true }, async ({ env, name, origin }) => {
  await assert.rejects(env.SECTION.getByName(name).stuckBeside(origin), stuck);
  await assert.rejects(env.SECTION.getByName(`${name}/idle`).waitsForNothing(), stuck);
});
