// Runs the conformance tests against a server: starts it for each test file on a free loopback port with an empty
// storage folder, runs the file's tests one request each, and ends it. Node 20, no dependencies.
//
//   node tests/conformance/run.mjs --on workerd|dolmen [--dolmen PATH] [--workerd PATH] [--fast] [--log] [--json FILE] [filter...]
//
// A filter is a part of a file's path ("kv/"), or of "path > test name". The exit code is 1 when a result was not the expected one.

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const TEST_LIMIT_MS = 20_000;
const START_LIMIT_MS = 20_000;
const START_POLL_MS = 25;
const LOG_LINES_KEPT = 400;

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "..", "..");
const options = parse(process.argv.slice(2));
const differences = JSON.parse(readFileSync(join(here, "differences.json"), "utf8"));
process.exitCode = (await main()) ? 0 : 1;

function parse(words) {
  const options = {
    on: undefined,
    dolmen: join(repository, "target", "release", "dolmen"),
    workerd: join(repository, "bench", "node_modules", "@cloudflare", `workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}`, "bin", "workerd"),
    fast: false, log: false, json: undefined, filters: [],
  };
  while (words.length > 0) {
    const word = words.shift();
    if (word === "--fast" || word === "--log") options[word.slice(2)] = true;
    else if (["--on", "--dolmen", "--workerd", "--json"].includes(word)) options[word.slice(2)] = words.shift();
    else if (word.startsWith("-")) usage(`unknown option ${word}`);
    else options.filters.push(word);
  }
  if (options.on !== "workerd" && options.on !== "dolmen") usage("say --on workerd or --on dolmen");
  if (!existsSync(options[options.on])) {
    usage(`${options[options.on]} is missing: ${options.on === "workerd" ? "run `npm ci --prefix bench`" : "build it, or give --dolmen PATH"}`);
  }
  return options;
}

function usage(problem) {
  console.error(`${problem}\nusage: run.mjs --on workerd|dolmen [--dolmen PATH] [--workerd PATH] [--fast] [--log] [--json FILE] [filter...]`);
  process.exit(2);
}

async function main() {
  const totals = { passed: 0, expected: 0, skipped: 0, unexpected: 0, assertions: 0 };
  const records = [];
  for (const file of testFiles()) {
    if (options.filters.length > 0 && !options.filters.some((filter) => file.includes(filter.split(" > ")[0]))) continue;
    const results = await runFile(file);
    const line = { passed: 0, failed: 0, assertions: 0 };
    for (const result of results) {
      const verdict = judge(file, result);
      totals[verdict.counts] += 1;
      totals.assertions += result.assertions ?? 0;
      line.assertions += result.assertions ?? 0;
      line[result.ok ? "passed" : "failed"] += 1;
      if (verdict.say) console.log(`${verdict.say}  ${file} > ${result.name}\n${indent(result.error ?? "")}`);
      records.push({ file, ...result, verdict: verdict.counts });
    }
    console.log(`${file}: ${line.passed} passed, ${line.failed} failed, ${line.assertions} assertions`);
  }
  if (options.filters.length === 0) {
    for (const known of differences.filter((d) => d.on === options.on && !records.some((r) => r.file === d.file && r.name === d.test))) {
      totals.unexpected += 1;
      console.log(`UNKNOWN test in differences.json  ${known.file} > ${known.test}`);
    }
  }
  if (options.json) writeFileSync(options.json, JSON.stringify(records, null, 1));
  const { passed, expected, skipped, unexpected, assertions } = totals;
  console.log(`\n${options.on}: ${passed} passed, ${expected} failed as known, ${skipped} skipped, ${unexpected} unexpected; ${assertions} assertions`);
  if (records.length === 0) console.log("no test matches");
  return unexpected === 0 && records.length > 0;
}

function judge(file, result) {
  if (result.skipped) return { counts: "skipped" };
  const known = differences.find((d) => d.file === file && d.test === result.name && d.on === options.on);
  if (result.ok && known) return { counts: "unexpected", say: "PASSES though listed in differences.json" };
  if (result.ok) return { counts: "passed" };
  return known ? { counts: "expected" } : { counts: "unexpected", say: "FAILED" };
}

function testFiles() {
  return readdirSync(here, { recursive: true })
    .map((name) => name.split(sep).join("/"))
    .filter((name) => name.endsWith(".test.js"))
    .sort();
}

async function runFile(file) {
  const results = [];
  let server;
  try {
    server = await start(file);
    const names = await getJson(server, "/list");
    for (const name of names) {
      if (!selected(file, name)) continue;
      const result = await runTest(server, name);
      results.push(result);
      // What is left of a hung test must not decide the ones after it.
      if (result.hung) {
        await server.stop();
        server = await start(file);
      }
    }
    for (const { name, request, expect } of await getJson(server, "/wire")) {
      if (selected(file, name)) results.push(await runWire(server, name, request, expect));
    }
  } catch (error) {
    results.push({ name: "(the file)", ok: false, error: `${error.message}\n${server?.log() ?? ""}` });
  }
  if (options.log && server) console.log(server.log());
  await server?.stop();
  return results;
}

function selected(file, name) {
  if (options.filters.length === 0) return true;
  return options.filters.some((filter) => `${file} > ${name}`.includes(filter));
}

async function runTest(server, name) {
  const path = `/run?test=${encodeURIComponent(name)}${options.fast ? "&fast" : ""}`;
  try {
    return await getJson(server, path);
  } catch (error) {
    return { name, ok: false, error: `${error.message}\n${server.log()}`, hung: true };
  }
}

async function runWire(server, name, request, expect) {
  try {
    const answer = await http(server, request);
    const problems = [];
    let assertions = 0;
    const check = (what, actual, expected) => {
      assertions += 1;
      if (JSON.stringify(actual) !== JSON.stringify(expected)) {
        problems.push(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
      }
    };
    if (expect.status !== undefined) check("status", answer.status, expect.status);
    for (const [key, value] of Object.entries(expect.headers ?? {})) check(key, answer.headers[key] ?? null, value);
    if (expect.setCookie) check("set-cookie", answer.headers["set-cookie"] ?? [], expect.setCookie);
    if (expect.body !== undefined) check("body", answer.body, expect.body);
    return { name, ok: problems.length === 0, assertions, error: problems.join("\n") || undefined };
  } catch (error) {
    return { name, ok: false, error: error.message };
  }
}

async function getJson(server, path) {
  const answer = await http(server, { path });
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.slice(0, 2000)}`);
  return JSON.parse(answer.body);
}

function http(server, { method = "GET", path, headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: server.port, method, path, headers, agent: false };
    const request = httpRequest(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", done(reject));
      response.on("aborted", () => done(reject)(new Error("the server broke off its answer")));
      response.on("end", () => done(resolve)({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${TEST_LIMIT_MS} ms`)), TEST_LIMIT_MS);
    const done = (settle) => (value) => { clearTimeout(timer); settle(value); };
    request.on("error", done(reject));
    request.end(body);
  });
}

async function start(file) {
  const folder = mkdtempSync(join(tmpdir(), "dolmen-conformance-"));
  const port = await freePort();
  mkdirSync(join(folder, "storage"));
  const [program, words] = options.on === "workerd"
    ? [options.workerd, ["serve", workerdConfig(folder, file, port)]]
    : [options.dolmen, ["--bundle", join(here, file), "--addr", `127.0.0.1:${port}`, "--storage", join(folder, "storage"), "--allow-private-network"]];
  const lines = [];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  const keep = (data) => {
    lines.push(...data.toString().split("\n").filter(Boolean));
    lines.splice(0, Math.max(0, lines.length - LOG_LINES_KEPT));
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise((resolve) => { child.on("exit", resolve); child.on("error", resolve); });
  let gone = false;
  ended.then(() => { gone = true; });
  const server = {
    port,
    log: () => lines.slice(-30).join("\n"),
    async stop() {
      if (!gone) child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await getJson(server, "/list");
      return server;
    } catch (error) {
      const late = Date.now() > deadline;
      if (!gone && !late && /ECONNREFUSED|ECONNRESET/.test(error.code ?? error.message)) {
        await new Promise((again) => setTimeout(again, START_POLL_MS));
        continue;
      }
      const log = server.log();
      await server.stop();
      throw new Error(`the server did not start: ${error.message}\n${log}`);
    }
  }
}

// Dolmen finds classes and bindings by itself; workerd is told of every `export class X extends DurableObject`.
function workerdConfig(folder, file, port) {
  cpSync(join(here, "harness.js"), join(folder, "harness.js"));
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  cpSync(join(here, file), join(folder, file));
  const source = readFileSync(join(here, file), "utf8");
  const classes = [...source.matchAll(/^export class (\w+) extends DurableObject\b/gm)].map((found) => found[1]);
  const namespaces = classes.map((name) => `(className = "${name}", uniqueKey = "${bindingName(name)}", enableSql = true)`);
  const bindings = classes.map((name) => `(name = "${bindingName(name)}", durableObjectNamespace = "${name}")`);
  const path = join(folder, "workerd.capnp");
  writeFileSync(path, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (writable = true, path = "${join(folder, "storage")}")),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "${file}", esModule = embed "${file}"),
    (name = "harness.js", esModule = embed "harness.js"),
  ],
  compatibilityDate = "2026-11-01",
  durableObjectNamespaces = [ ${namespaces.join(", ")} ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ ${bindings.join(", ")} ],
);
`);
  return path;
}

// ChatRoom -> CHAT_ROOM, as Dolmen derives it.
function bindingName(className) {
  return className.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function indent(text) {
  return text.split("\n").filter(Boolean).slice(0, 100).map((line) => `    ${line}`).join("\n");
}
