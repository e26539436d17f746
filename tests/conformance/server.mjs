// Starts workerd or Dolmen with a worker, and speaks HTTP with it: what the runners in this folder share. Node 20, no dependencies.

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const ANSWER_LIMIT_MS = 20_000;
const START_LIMIT_MS = 20_000;
const START_POLL_MS = 25;
const STOP_LIMIT_MS = 15_000;
const LOG_LINES_KEPT = 400;

export const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/// Where the program is unless said otherwise, and what to do if it is not there.
export const programs = {
  workerd: {
    path: join(repository, "bench", "node_modules", "@cloudflare", `workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}`, "bin", "workerd"),
    missing: "run `npm ci --prefix bench`",
  },
  dolmen: { path: join(repository, "target", "release", "dolmen"), missing: "build it, or give --dolmen PATH" },
};

/// Ends the process if a program is not there.
export function required(on, path) {
  if (existsSync(path)) return path;
  console.error(`${path} is missing: ${programs[on].missing}`);
  return process.exit(2);
}

/// Starts `entry`, a worker in the folder `root`, on a free loopback port. Its objects are kept in `<folder>/storage`.
/// `manifest` is one of Dolmen's, {vars?: {NAME: value}, objects?: {NAME: {class, uniqueKey}}}; the file beside the entry, if
/// there is one (`vars.manifest.json` for `vars.test.js`). `modules` gives workerd what is built into Dolmen: {name: path of an
/// ES module}. `port` is for a server that comes back, `startLimitMs` for one that compiles much. Resolves when it answers: {on, port, log(), stop(signal)}.
export async function start({ on, program, root, entry, folder, dolmenFlags = [], manifest = manifestOf(join(root, entry)), modules = {}, port, startLimitMs = START_LIMIT_MS }) {
  port ??= await freePort();
  await assemble(root, entry);
  const storage = join(folder, "storage");
  mkdirSync(storage, { recursive: true });
  const manifestFile = join(folder, "manifest.json");
  if (manifest) writeFileSync(manifestFile, JSON.stringify(manifest));
  if (manifest) dolmenFlags = [...dolmenFlags, "--manifest", manifestFile];
  const words = on === "workerd"
    ? ["serve", workerdConfig({ root, entry, folder, storage, port, manifest, builtIn: modules })]
    : ["--bundle", join(root, entry), "--addr", `127.0.0.1:${port}`, "--storage", storage, "--allow-private-network", ...dolmenFlags];
  const lines = [];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
  const keep = (data) => {
    lines.push(...data.toString().split("\n").filter(Boolean));
    lines.splice(0, Math.max(0, lines.length - LOG_LINES_KEPT));
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let gone = false;
  const ended = new Promise((resolve) => { child.on("exit", resolve); child.on("error", resolve); }).then(() => { gone = true; });
  const server = {
    on,
    port,
    log: () => lines.slice(-30).join("\n"),
    async stop(signal = "SIGKILL") {
      if (!gone) child.kill(signal);
      const late = setTimeout(() => { keep(`it did not end after ${signal}`); child.kill("SIGKILL"); }, STOP_LIMIT_MS);
      await ended;
      clearTimeout(late);
    },
  };
  const deadline = Date.now() + startLimitMs;
  for (;;) {
    try {
      await http(server, { path: "/list" });
      return server;
    } catch (error) {
      if (!gone && Date.now() < deadline && /ECONNREFUSED|ECONNRESET/.test(error.code ?? error.message)) {
        await new Promise((again) => setTimeout(again, START_POLL_MS));
        continue;
      }
      await server.stop();
      throw new Error(`${on} did not start: ${error.message}\n${server.log()}`);
    }
  }
}

/// One request on a connection of its own: {status, headers, body}.
export function http(server, { method = "GET", path, headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: server.port, method, path, headers, agent: false };
    const request = httpRequest(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", done(reject));
      response.on("aborted", () => done(reject)(new Error("the server broke off its answer")));
      response.on("end", () => done(resolve)({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)), ANSWER_LIMIT_MS);
    const done = (settle) => (value) => { clearTimeout(timer); settle(value); };
    request.on("error", done(reject));
    request.end(body);
  });
}

/// The JSON that a GET, or a POST of `body` as JSON, answers.
export async function json(server, path, body) {
  const request = body === undefined ? { path } : { method: "POST", path, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await http(server, request);
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body.slice(0, 2000)}`);
  return JSON.parse(answer.body);
}

const importsOf = (file) => [...readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)"/gm)].map(([, path]) => path);

// Makes the WebAssembly modules that a worker imports from their texts, which stand beside: x.wasm from x.wat.
async function assemble(root, name, seen = new Set()) {
  for (const path of importsOf(join(root, name))) {
    const imported = posix.join(posix.dirname(name), path);
    if (seen.has(imported)) continue;
    seen.add(imported);
    if (!imported.endsWith(".wasm")) {
      await assemble(root, imported, seen);
      continue;
    }
    const text = join(root, imported.replace(/wasm$/, "wat"));
    if (!existsSync(text)) continue;
    const { default: wabt } = await import(join(repository, "bench", "node_modules", "wabt", "index.js"));
    const { buffer } = (await wabt()).parseWat(text, readFileSync(text, "utf8")).toBinary({});
    writeFileSync(join(root, imported), buffer);
  }
}

// Dolmen finds classes and bindings by itself; workerd is told of every `export class X extends DurableObject`, of Groups
// and Replicas, also where one extends another, and of the classes that the manifest names.
function workerdConfig({ root, entry, folder, storage, port, manifest, builtIn }) {
  const modules = [];
  const copy = (name) => {
    if (modules.includes(name)) return;
    modules.push(name);
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(root, name), join(folder, name));
    if (name.endsWith(".wasm")) return;
    for (const path of importsOf(join(root, name))) copy(posix.join(posix.dirname(name), path));
  };
  copy(entry);
  const embedded = modules.map((name) => [name, name]);
  for (const [name, path] of Object.entries(builtIn)) {
    const file = `${name.replace(":", "-")}.js`;
    cpSync(path, join(folder, file));
    embedded.push([name, file]);
  }
  const source = readFileSync(join(root, entry), "utf8");
  const bases = new Set(["DurableObject", "Group", "Replica"]);
  const classes = [];
  for (const [, name, base] of source.matchAll(/^export class (\w+) extends (\w+)\b/gm)) {
    if (!bases.has(base)) continue;
    if (base !== "DurableObject") bases.add(name);
    classes.push(name);
  }
  for (const object of Object.values(manifest?.objects ?? {})) {
    const name = object.class ?? object;
    if (!classes.includes(name)) classes.push(name);
  }
  const uniqueKey = (name) => manifest?.objects?.[bindingName(name)].uniqueKey ?? bindingName(name);
  const namespaces = classes.map((name) => `(className = "${name}", uniqueKey = "${uniqueKey(name)}", enableSql = true)`);
  const bindings = classes.map((name) => `(name = "${bindingName(name)}", durableObjectNamespace = "${name}")`);
  for (const [name, value] of Object.entries(manifest?.vars ?? {})) {
    const kind = typeof value === "string" ? "text" : "json";
    bindings.push(`(name = "${name}", ${kind} = ${JSON.stringify(kind === "text" ? value : JSON.stringify(value))})`);
  }
  const path = join(folder, "workerd.capnp");
  writeFileSync(path, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (writable = true, path = "${storage}")),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  modules = [ ${embedded.map(([name, file]) => `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${file}")`).join(", ")} ],
  compatibilityDate = "2026-11-01",
  durableObjectNamespaces = [ ${namespaces.join(", ")} ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [ ${bindings.join(", ")} ],
);
`);
  return path;
}

function manifestOf(entry) {
  const path = entry.replace(/(\.test)?\.m?js$/, ".manifest.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

// ChatRoom -> CHAT_ROOM, as Dolmen derives it.
export function bindingName(className) {
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
