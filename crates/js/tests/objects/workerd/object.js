// Made `object.sqlite`: the object called "from workerd" of a namespace whose unique key is FOREIGN, after one
// request, with workerd 2026-11-17, `enableSql = true` and the storage on the local disk.
import { DurableObject } from "cloudflare:workers";
export class Foreign extends DurableObject {
  async write() {
    const kv = this.ctx.storage.kv;
    kv.put("null", null); kv.put("true", true); kv.put("int", -7); kv.put("double", 0.1); kv.put("minus zero", -0);
    kv.put("latin", "caf\u00e9"); kv.put("wide", "\u65e5\u672c \ud83d\ude00"); kv.put("lone", "\ud800");
    kv.put("big", -(2n ** 70n)); kv.put("date", new Date(5)); kv.put("regexp", /a+/gi);
    kv.put("array", [1, , "x", undefined]); kv.put("nested", { a: [{ b: null }], 5: "five" });
    kv.put("map", new Map([["k", new Set([1, "2"])]])); kv.put("bytes", new Uint8Array([1, 2, 255]));
    kv.put("buffer", new Uint8Array([9, 8]).buffer); kv.put("view", new DataView(new ArrayBuffer(4), 1, 2));
    kv.put("error", new RangeError("out")); kv.put("boxed", Object("s"));
    const self = { n: 1 }; self.self = self; kv.put("cycle", self);
    const shared = [1]; kv.put("shared", [shared, shared]);
    kv.put("Uppercase/\u00e9", "key"); kv.put("__proto__", "plain");
    await this.ctx.storage.sync();
    return [...kv.list()].length;
  }
}
export default { async fetch(request, env) { return new Response(await env.FOREIGN.getByName("from workerd").write()); } };
