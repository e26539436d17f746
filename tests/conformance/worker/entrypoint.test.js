// A default export that is a WorkerEntrypoint class.
import { WorkerEntrypoint } from "cloudflare:workers";
import { serve, test, wire, assert } from "../harness.js";

export default class Main extends WorkerEntrypoint {
  calls = 0;
  async fetch(request) {
    const answer = await serve(request, this.env, this.ctx);
    if (answer) return answer;
    this.calls += 1;
    return Response.json({ path: new URL(request.url).pathname, calls: this.calls, env: typeof this.env, waitUntil: typeof this.ctx.waitUntil });
  }
  add(a, b) { return a + b; }
}

wire("fetch of the class answers", { path: "/any" }, { status: 200, body: '{"path":"/any","calls":1,"env":"object","waitUntil":"function"}' });
wire("each request is a new instance", { path: "/again" }, { status: 200, body: '{"path":"/again","calls":1,"env":"object","waitUntil":"function"}' });

test("the default export can be called over RPC", async ({ ctx }) => {
  assert.equal(await ctx.exports.default.add(1, 2), 3);
});

test("its fetch is reached through ctx.exports", async ({ ctx }) => {
  assert.equal((await (await ctx.exports.default.fetch("http://x/inner")).json()).path, "/inner");
});
