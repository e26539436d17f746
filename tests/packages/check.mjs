// Bundles the workers of this folder and runs them, on Dolmen and, where it can, on workerd: the answers must be those below.
//
//   npm ci --prefix tests/packages && node tests/packages/check.mjs [--dolmen PATH] [--workerd PATH]

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { json, programs, required, start } from "../conformance/server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const wasm = {
  "resvg.wasm": "@resvg/resvg-wasm/index_bg.wasm",
  "sql.wasm": "sql.js/dist/sql-wasm-browser.wasm",
  "esbuild.wasm": "esbuild-wasm/esbuild.wasm",
};
const expected = {
  imported: {
    resvg: [728, [137, 80, 78, 71, 13, 10, 26, 10], [140, 248, 111, 97, 5, 204]],
    sqlite: [[[4, "y"], [6, "z"]], "no such table: nowhere", 8192],
  },
  compiled: {
    hash: [
      "900150983cd24fb0d6963f7d28e17f72",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "6437b3ac38465133",
      "aed119afef513ee60a7797a89c728582",
    ],
    yoga: [45, 90, 135, 30],
    sqliteFunction: [[42]],
    esbuild: "const c=3;export class A{y}\n",
  },
};

const words = process.argv.slice(2);
const given = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
const runs = [["imported", "dolmen"], ["imported", "workerd"], ["compiled", "dolmen"]];
let failed = 0;
for (const [worker, on] of runs) {
  const program = required(on, given(`--${on}`) ?? programs[on].path);
  const root = mkdtempSync(join(tmpdir(), "dolmen-packages-"));
  const entry = `${worker}.mjs`;
  await build({
    entryPoints: [join(here, entry)], outfile: join(root, entry), bundle: true, format: "esm", platform: "browser",
    external: ["*.wasm", "fs", "path", "crypto", "module", "node:*"], logLevel: "error",
  });
  for (const [name, path] of Object.entries(wasm)) cpSync(join(here, "node_modules", path), join(root, name));
  // The large ones are compiled at the start, and run long.
  const dolmenFlags = ["--cpu-timeout", "60s", "--memory-limit", "512MiB"];
  const server = await start({ on, program, root, entry, folder: join(root, "run"), dolmenFlags, startLimitMs: 120_000 });
  for (const [name, wanted] of Object.entries(expected[worker])) {
    const answer = await json(server, `/${name}`).catch((error) => error.message);
    const same = JSON.stringify(answer) === JSON.stringify(wanted);
    if (!same) failed += 1;
    console.log(`${on} ${worker}/${name}: ${same ? "as expected" : `expected ${JSON.stringify(wanted)}, got ${JSON.stringify(answer)}`}`);
  }
  await server.stop();
  rmSync(root, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
