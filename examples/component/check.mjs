// Builds the component and sees that Dolmen serves it as README.md says: the worker, objects, bodies, a panic, a restart.
//
//   node examples/component/check.mjs --tools FOLDER [--dolmen PATH]

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programs, required, start } from "../../tests/conformance/server.mjs";
import { build } from "./build.mjs";

const BODY_BYTES = 3_000_000;
/// The first start compiles 13 MB.
const START_LIMIT_MS = 180_000;

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
if (!process.argv.includes("--tools")) {
  console.error("usage: node check.mjs --tools FOLDER [--dolmen PATH]");
  process.exit(2);
}
const program = required("dolmen", process.argv.includes("--dolmen") ? option("--dolmen") : programs.dolmen.path);
const folder = mkdtempSync(join(tmpdir(), "dolmen-component-"));
writeFileSync(join(folder, "handler.wasm"), await build(option("--tools")));

let server;
const begin = () => start({ on: "dolmen", program, root: folder, entry: "handler.wasm", folder, manifest: null, startLimitMs: START_LIMIT_MS });
const text = async (path, options) => {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, options);
  return `${answer.status} ${await answer.text()}`;
};
try {
  server = await begin();
  assert.equal(await text("/nothing"), "404 not found");
  assert.equal(await text("/do/a/count"), "200 a 1 1");
  assert.equal(await text("/do/a/count"), "200 a 2 2");
  assert.equal(await text("/do/b/count"), "200 b 1 1");
  const body = new Uint8Array(BODY_BYTES).map((_, at) => at % 251);
  const echoed = await fetch(`http://127.0.0.1:${server.port}/do/a/echo`, { method: "POST", body });
  assert.ok(Buffer.from(await echoed.arrayBuffer()).equals(Buffer.from(body)), "a body comes back as it was sent");
  assert.match(await text("/do/a/throw"), /^500 panic: /);
  assert.equal(await text("/do/a/count"), "200 a 3 1", "the panic undid its write, and the instance is new");
  await server.stop();
  server = await begin();
  assert.equal(await text("/do/a/count"), "200 a 4 1", "the count is there after a restart");
  console.log("dolmen: the component is served as expected");
} catch (error) {
  console.error(error, server?.log());
  process.exitCode = 1;
} finally {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}
