// How long a stub for a target or a function lives: as long as the execution context that hosts it.
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { test, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

class Ball extends RpcTarget {
  ping() { return "pong"; }
}

export class Host extends DurableObject {
  ball() { return new Ball(); }
  answer() { return () => "answer"; }
  keep(f) { this.kept = f.dup(); }
  callKept() { return this.kept(); }
  abort() { this.ctx.abort("host is gone"); }
  wait(ms) { return sleep(ms); }
}

export class Visitor extends WorkerEntrypoint {
  async leave(name) {
    await this.env.HOST.getByName(name).keep(() => "from the visitor");
    return "left";
  }
  async linger(name, ms) {
    await this.env.HOST.getByName(name).keep(() => "from the visitor");
    this.ctx.waitUntil(sleep(ms));
    return "lingers";
  }
  ball() { return new Ball(); }
}

const over = { class: "Error", message: "The execution context which hosts this callback is no longer running." };

test("targets and functions of an object live while it does", async ({ env, name }) => {
  const ball = await env.HOST.getByName(name).ball();
  await sleep(20);
  assert.equal(await ball.ping(), "pong");
  assert.equal(await env.HOST.getByName(name).wait(1), undefined);
  assert.equal(await ball.ping(), "pong");
});

test("they end when the object is reset", async ({ env, name }) => {
  const host = env.HOST.getByName(name);
  const ball = await host.ball();
  const answer = await host.answer();
  await assert.rejects(env.HOST.getByName(name).abort(), { message: "host is gone" });
  await assert.rejects(async () => ball.ping(), over);
  await assert.rejects(async () => answer(), over);
  assert.equal(await (await env.HOST.getByName(name).ball()).ping(), "pong");
});

test("a function of a worker's event ends with the event", async ({ ctx, env, name }) => {
  assert.equal(await ctx.exports.Visitor.leave(name), "left");
  await sleep(10);
  await assert.rejects(env.HOST.getByName(name).callKept(), { ...over, remote: true });
});

test("waitUntil keeps the event, and its functions with it", async ({ ctx, env, name }) => {
  assert.equal(await ctx.exports.Visitor.linger(name, 150), "lingers");
  assert.equal(await env.HOST.getByName(name).callKept(), "from the visitor");
  await sleep(250);
  await assert.rejects(env.HOST.getByName(name).callKept(), over);
});

test("a target in the result of a worker's event keeps it", async ({ ctx }) => {
  const ball = await ctx.exports.Visitor.ball();
  await sleep(20);
  assert.equal(await ball.ping(), "pong");
});

test("the name of a stub's every property is taken, save symbols and then", ({ env, name }) => {
  const stub = env.HOST.getByName(name);
  assert.deepEqual(["anything" in stub, "fetch" in stub, "id" in stub], [true, true, true]);
  assert.deepEqual([stub.then, stub[Symbol.iterator], stub[Symbol.asyncIterator], stub[Symbol.dispose]].map((value) => typeof value), ["undefined", "undefined", "undefined", "undefined"]);
  assert.equal(JSON.parse(JSON.stringify(stub)).name, name);
});
