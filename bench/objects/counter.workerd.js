// The benchmark's object for workerd. It does the work of counter.dolmen.js, call for call; the default export
// routes the two paths that Dolmen's gateway serves by itself.
import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  #called = false;

  hello(name) {
    return `hello, ${name}`;
  }

  read() {
    this.#called = true;
    return this.ctx.storage.kv.get("count") ?? 0;
  }

  increment() {
    this.#called = true;
    const count = (this.ctx.storage.kv.get("count") ?? 0) + 1;
    this.ctx.storage.kv.put("count", count);
    return count;
  }

  // 1 when this instance has been called before, 0 when it was evicted and made anew.
  live() {
    return this.#called ? 1 : 0;
  }

  fetch(request) {
    return new Response(`hello, ${request.method}`, { headers: { "content-type": "text/plain" } });
  }
}

export default {
  async fetch(request, env) {
    const [, , , route, namespace, name, method] = request.url.split("/");
    const stub = env[namespace].getByName(name);
    switch (route) {
      case "fetch":
        return stub.fetch(request);
      case "rpc":
        return Response.json({ ok: true, result: await stub[method](...(await request.json())) });
      default:
        return new Response("no such route", { status: 404 });
    }
  },
};
