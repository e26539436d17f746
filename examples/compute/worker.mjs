// An object that does heavy work twice: in WebAssembly, and the same in plain JavaScript.
// GET / measures both; GET /wasm/primes/1000000 or /js/mandelbrot/200 does one.
import { DurableObject } from "cloudflare:workers";
import compute from "./compute.wasm";

const plain = {
  primes(n) {
    const bytes = new Uint8Array(n).fill(1);
    let count = 0;
    for (let i = 2; i < n; i++) {
      if (!bytes[i]) continue;
      count++;
      for (let j = i * i; j < n; j += i) bytes[j] = 0;
    }
    return count;
  },
  mandelbrot(size) {
    let all = 0;
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const cr = 3 * x / size - 2, ci = 3 * y / size - 1.5;
        let r = 0, i = 0, steps = 0;
        while (steps < 200 && r * r + i * i < 4) {
          const next = r * r - i * i + cr;
          i = 2 * r * i + ci;
          r = next;
          steps++;
        }
        all += steps;
      }
    }
    return all;
  },
  hash(n) {
    const bytes = new Uint8Array(n).fill(7);
    let h = 0x811c9dc5;
    for (let i = 0; i < n; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
    return h >>> 0;
  },
};

export class Compute extends DurableObject {
  #exports = new WebAssembly.Instance(compute).exports;

  run(how, what, n) {
    if (how === "js") return plain[what](n);
    const { memory, buffer, hash, ...functions } = this.#exports;
    if (what !== "hash") return functions[what](n);
    new Uint8Array(memory.buffer, buffer(), n).fill(7);
    return hash(n) >>> 0;
  }

  // How often `nothing` is called: the price of a call.
  calls(n) {
    const { nothing } = this.#exports;
    for (let i = 0; i < n; i++) nothing(i);
    return n;
  }
}

const sizes = { primes: 300_000, mandelbrot: 80, hash: 300_000 };

export default {
  async fetch(request, env) {
    const object = env.COMPUTE.getByName("one");
    const [how, what, n] = new URL(request.url).pathname.slice(1).split("/");
    if (how === "calls") return Response.json(await object.calls(Number(what)));
    if (how) return Response.json(await object.run(how, what, Number(n)));
    const report = {};
    for (const [what, n] of Object.entries(sizes)) {
      const took = {};
      const results = [];
      for (const how of ["wasm", "js"]) {
        const begun = performance.now();
        results.push(await object.run(how, what, n));
        took[how] = performance.now() - begun;
      }
      if (results[0] !== results[1]) throw new Error(`${what}: ${results}`);
      report[what] = { result: results[0], wasmMs: +took.wasm.toFixed(2), jsMs: +took.js.toFixed(2), ratio: +(took.js / took.wasm).toFixed(1) };
    }
    return Response.json(report);
  },
};
