// Proves that folders are interchangeable: one server writes, the other opens the same folder, checks all of it, writes more,
// and the first one checks again. Both ways round, after a clean stop and after kill -9. Node 20, no dependencies.
//
//   node tests/conformance/exchange.mjs [--dolmen PATH] [--workerd PATH] [--seed N] [--graphs N]

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bindingName, json, programs, required, start } from "./server.mjs";

/// When the soon alarm is due, and how much later it may ring. Its first server must have ended by then.
const SOON_MS = 4_000;
const RING_LIMIT_MS = 8_000;
const RING_POLL_MS = 100;
const UNIQUE_IDS = 5;
/// Graphs in one request, which has a time limit.
const GRAPHS_AT_ONCE = 50;

const root = join(dirname(fileURLToPath(import.meta.url)), "exchange");
const options = parse(process.argv.slice(2));
/// The unique keys are names of namespaces, or those of `wrangler dev`, which a manifest gives.
const exchanges = [
  { from: "workerd", to: "dolmen", signal: "SIGTERM" },
  { from: "workerd", to: "dolmen", signal: "SIGKILL", manifest: wranglerKeys() },
  { from: "dolmen", to: "workerd", signal: "SIGTERM", manifest: wranglerKeys() },
  { from: "dolmen", to: "workerd", signal: "SIGKILL" },
];
let failed = 0;
for (const exchange of exchanges) failed += await run(exchange);
process.exitCode = failed === 0 ? 0 : 1;

function parse(words) {
  const options = { dolmen: programs.dolmen.path, workerd: programs.workerd.path, seed: 1 + Math.floor(Math.random() * 2 ** 30), graphs: 300 };
  while (words.length > 0) {
    const name = words.shift().slice(2);
    if (!(name in options) || words.length === 0) {
      console.error("usage: exchange.mjs [--dolmen PATH] [--workerd PATH] [--seed N] [--graphs N]");
      process.exit(2);
    }
    options[name] = typeof options[name] === "number" ? Number(words.shift()) : words.shift();
  }
  for (const on of ["dolmen", "workerd"]) required(on, options[on]);
  return options;
}

function wranglerKeys() {
  const source = readFileSync(join(root, "worker.mjs"), "utf8");
  const classes = [...source.matchAll(/^export class (\w+) extends DurableObject\b/gm)].map((found) => found[1]);
  return { objects: Object.fromEntries(classes.map((name) => [bindingName(name), { class: name, uniqueKey: `exchange-${name}` }])) };
}

async function run({ from, to, signal, manifest }) {
  const title = `${from} -> ${to} -> ${from}, ${signal}${manifest ? ", keys of wrangler" : ""}`;
  const folder = mkdtempSync(join(tmpdir(), "dolmen-exchange-"));
  const problems = [];
  let checks = 0;
  let server;
  const open = async (on) => {
    server = await start({ on, program: options[on], root, entry: "worker.mjs", folder, manifest, dolmenFlags: ["--cpu-timeout", "20s"] });
  };
  const ask = (action, body) => json(server, `/${action}`, body);
  const check = async (action, body) => {
    const report = await ask(action, body);
    checks += report.checks;
    problems.push(...report.problems.map((problem) => `${server.on}: ${problem}`));
  };
  const expectRung = (clocks, { at }) => {
    for (const [i, { rang, next }] of clocks.entries()) {
      checks += 1;
      const wanted = { name: i === 0 ? "soon" : null, isRetry: false, retryCount: 0, scheduledTime: at, before: null };
      const { at: rangAt, ...got } = rang ?? {};
      const same = rangAt >= at && next === null && Object.keys(wanted).every((key) => wanted[key] === got[key]);
      if (!same) problems.push(`${server.on}: an alarm due at ${at} rang as ${JSON.stringify(rang)}, and the next one is ${next}`);
    }
  };
  // Each graph is the value of its own seed, so any of them can be had again alone.
  const graphs = async (action, more) => {
    for (let done = 0; done < options.graphs; done += GRAPHS_AT_ONCE) {
      const count = Math.min(GRAPHS_AT_ONCE, options.graphs - done);
      await (action === "makeGraphs" ? ask : check)(action, { seed: options.seed + done, name: `graphs ${done}`, count, ...more });
    }
  };
  try {
    await open(from);
    const first = await ask("write", { round: 1, unique: UNIQUE_IDS });
    await check("check", { round: 1, ...first });
    await graphs("makeGraphs");
    const ring = await setRing(ask);
    await server.stop(signal);
    await within(ring);
    // After a kill the alarm is overdue when the next server starts, after a clean stop it is not yet due.
    if (signal === "SIGKILL") await sleepUntil(ring.at + 200);

    await open(to);
    await check("check", { round: 1, ...first });
    expectRung(await rung(ask, ring), ring);
    await graphs("checkGraphs", { from: "made" });
    const second = await ask("write", { round: 2, unique: UNIQUE_IDS });
    const back = await setRing(ask);
    await server.stop(signal);
    await within(back);

    await open(from);
    await check("check", { round: 2, ids: second.ids, nameless: first.nameless });
    await check("check", { round: 2, ids: first.ids, nameless: second.nameless });
    expectRung(await rung(ask, back), back);
    await graphs("checkGraphs", { from: "made" });
    await graphs("checkGraphs", { from: "read" });
    await server.stop(signal);
  } catch (error) {
    problems.push(`${server?.on}: ${error.message}\n${server?.log() ?? ""}`);
  }
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
  console.log(`${title}: ${checks} checks, ${problems.length} problems${problems.length > 0 ? `; seed ${options.seed}` : ""}`);
  for (const problem of problems.slice(0, 50)) console.log(`    ${problem}`);
  return problems.length;
}

async function setRing(ask) {
  const at = Date.now() + SOON_MS;
  return { at, ...(await ask("soon", { at })) };
}

/// The server that set an alarm must have ended before it is due, or the other one would have nothing to ring.
function within(ring) {
  if (Date.now() >= ring.at) throw new Error(`this machine is too slow: the server did not end within ${SOON_MS} ms`);
}

/// Waits until the soon alarms rang, or their time is over.
async function rung(ask, { at, nameless }) {
  for (;;) {
    const clocks = await ask("rang", { nameless });
    if (clocks.every((clock) => clock.rang) || Date.now() > at + RING_LIMIT_MS) return clocks;
    await new Promise((again) => setTimeout(again, RING_POLL_MS));
  }
}

function sleepUntil(time) {
  return new Promise((done) => setTimeout(done, time - Date.now()));
}
