// Packages that compile their bytes themselves, and functions at run time, which workerd refuses.
import { argon2id, blake3, md5, sha256 } from "hash-wasm";
import { loadYoga } from "yoga-layout/load";
import * as esbuild from "esbuild-wasm/esm/browser.js";
import initSqlJs from "sql.js/dist/sql-wasm-browser.js";
import compiler from "./esbuild.wasm";
import sql from "./sql.wasm";
import { serve } from "./serve.mjs";

globalThis.location ??= { href: "http://localhost/" };

export default serve({
  async hash() {
    const hash = await argon2id({ password: "p", salt: "12345678", parallelism: 1, iterations: 2, memorySize: 256, hashLength: 16, outputType: "hex" });
    return [await md5("abc"), await sha256("abc"), (await blake3("abc")).slice(0, 16), hash];
  },
  // emscripten with embind, and a callback.
  async yoga() {
    const Yoga = await loadYoga();
    const root = Yoga.Node.create();
    root.setWidth(300);
    root.setHeight(100);
    root.setFlexDirection(Yoga.FLEX_DIRECTION_ROW);
    for (let i = 0; i < 3; i++) {
      const child = Yoga.Node.create();
      child.setFlexGrow(i + 1);
      root.insertChild(child, i);
    }
    const measured = Yoga.Node.create();
    measured.setMeasureFunc(() => ({ width: 30, height: 10 }));
    root.insertChild(measured, 3);
    root.calculateLayout(undefined, undefined, Yoga.DIRECTION_LTR);
    return [0, 1, 2, 3].map((i) => root.getChild(i).getComputedLayout().width);
  },
  // emscripten's addFunction makes a module for each function of JavaScript.
  async sqliteFunction() {
    const instantiateWasm = (imports, done) => {
      const instance = new WebAssembly.Instance(sql, imports);
      done(instance, sql);
      return instance.exports;
    };
    const db = new (await initSqlJs({ instantiateWasm })).Database();
    db.create_function("twice", (x) => x * 2);
    return db.exec("select twice(21)")[0].values;
  },
  // Go, 14 MB.
  async esbuild() {
    await esbuild.initialize({ wasmModule: compiler, worker: false });
    return (await esbuild.transform("const x: number = 1 + 2; export class A<T> { y?: T }", { loader: "ts", minify: true })).code;
  },
});
