// Runs the tests of Groups on a server.
//
//   node packages/groups/test/run.mjs --on workerd|dolmen [--dolmen PATH] [--workerd PATH] [--fast] [--log] [filter...]
//
// A filter is a part of a test's name. --fast leaves out what waits for the clock. The exit code is 1 if a test failed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programs, required, start } from "../../../tests/conformance/server.mjs";
import { IDLE_MS, Room, tests } from "./driver.mjs";
import "./counts.test.mjs";
import "./listeners.test.mjs";
import "./lives.test.mjs";
import "./dog.test.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const option = (name) => { const at = words.indexOf(name); return at === -1 ? undefined : words.splice(at, 2)[1]; };
const flag = (name) => { const at = words.indexOf(name); return at !== -1 && words.splice(at, 1).length > 0; };
const on = option("--on");
const given = { workerd: option("--workerd"), dolmen: option("--dolmen") };
const [fast, log] = [flag("--fast"), flag("--log")];
if (!programs[on]) {
  console.error("usage: run.mjs --on workerd|dolmen [--dolmen PATH] [--workerd PATH] [--fast] [--log] [filter...]");
  process.exit(2);
}
const program = required(on, given[on] ?? programs[on].path);
const dist = join(here, "..", "dist");
const folder = mkdtempSync(join(tmpdir(), "dolmen-groups-"));

// Dolmen has both modules built in, and lets an idle object go when it is told to.
const dolmenFlags = ["--hibernation-timeout", `${IDLE_MS.dolmen}ms`, "--idle-timeout", `${IDLE_MS.dolmen}ms`];
const modules = { "dolmen:groups": join(dist, "groups.js"), dog: join(dist, "dog.js") };
const host = {
  server: undefined,
  async start(port) {
    this.server = await start({ on, program, root: here, entry: "worker.mjs", folder, port, modules, dolmenFlags });
  },
  /// A server of its own, with another worker.
  other(entry) {
    return start({ on, program, root: here, entry, folder: mkdtempSync(join(folder, "other-")), modules, dolmenFlags });
  },
  /// Kills the server and starts it again with the same folder.
  async restart(signal = "SIGKILL") {
    const { port } = this.server;
    await this.server.stop(signal);
    await this.start(port);
  },
};

await host.start();
let failed = 0;
let ran = 0;
for (const { name, options, body } of tests) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  if (fast && options.slow) continue;
  ran += 1;
  const rooms = [];
  const room = (choices = "", label = "") => {
    rooms.push(new Room(host, `${label}${ran}-${rooms.length}${choices && `,${choices}`}`));
    return rooms.at(-1);
  };
  try {
    await body({ room, host, on });
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.stack}\n${log ? host.server.log() : ""}`);
  }
  for (const one of rooms) one.end();
}
await host.server.stop("SIGKILL");
rmSync(folder, { recursive: true, force: true });
console.log(`${ran - failed} of ${ran} tests passed on ${on}`);
process.exit(failed === 0 && ran > 0 ? 0 : 1);
