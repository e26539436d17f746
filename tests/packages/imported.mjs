// Packages that take an imported module: these run on workerd, too.
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import initSqlJs from "sql.js/dist/sql-wasm-browser.js";
import resvg from "./resvg.wasm";
import sql from "./sql.wasm";
import { serve } from "./serve.mjs";

// Where sql.js looks for its file, which it is given here.
globalThis.location ??= { href: "http://localhost/" };

export default serve({
  // wasm-bindgen.
  async resvg() {
    await initWasm(resvg);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect width="100" height="50" fill="red"/><circle cx="50" cy="25" r="20" fill="blue"/></svg>';
    const png = new Resvg(svg).render().asPng();
    return [png.length, [...png.subarray(0, 8)], [...new Uint8Array(await crypto.subtle.digest("SHA-256", png)).subarray(0, 6)]];
  },
  // emscripten.
  async sqlite() {
    const instantiateWasm = (imports, done) => {
      const instance = new WebAssembly.Instance(sql, imports);
      done(instance, sql);
      return instance.exports;
    };
    const SQL = await initSqlJs({ instantiateWasm });
    const db = new SQL.Database();
    db.run("create table t (a int, b text); insert into t values (1, 'x'), (2, 'y'), (3, 'z')");
    const [{ values }] = db.exec("select a * 2, b from t where a > 1");
    let refused;
    try { db.exec("select nonsense from nowhere"); } catch (error) { refused = error.message; }
    return [values, refused, db.export().length];
  },
});
