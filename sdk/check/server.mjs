// One Dolmen that serves a module, HTTP with it, and a server for its handlers to fetch from.

import { spawn } from "node:child_process";
import { Agent, createServer, request as httpRequest } from "node:http";
import { join } from "node:path";

const ANSWER_LIMIT_MS = 30_000;
/// Time enough to compile a large module, which a debug build of Dolmen does slowly.
const START_LIMIT_MS = 240_000;
const STOP_LIMIT_MS = 15_000;
const CONNECTIONS = 8;
const LOG_LINES_SHOWN = 20;

/// Starts `dolmen` with the handler `module`; its data is in `folder`. Resolves when it listens.
export async function start({ dolmen, module, folder, flags }) {
  const words = ["--bundle", module, "--addr", "127.0.0.1:0", "--storage", join(folder, "storage"), "--allow-private-network", ...flags];
  const child = spawn(dolmen, words, { stdio: ["ignore", "pipe", "pipe"] });
  let lines = [];
  let wanted = [];
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const ended = new Promise((resolve) => { child.on("exit", resolve); child.on("error", resolve); });
  const port = await new Promise((resolve, reject) => {
    const give = (why) => reject(new Error(`Dolmen did not start: ${why}\n${lines.join("\n")}`));
    const late = setTimeout(() => { child.kill("SIGKILL"); give(`nothing within ${START_LIMIT_MS} ms`); }, START_LIMIT_MS);
    const keep = (data) => {
      lines = [...lines, ...data.toString().split("\n").filter(Boolean)].slice(-LOG_LINES_SHOWN);
      const said = wanted.filter(({ text }) => lines.some((line) => line.includes(text)));
      wanted = wanted.filter((one) => !said.includes(one));
      for (const { found } of said) found();
      const listening = lines.map((line) => line.match(/listens on http:\/\/127\.0\.0\.1:(\d+)/)).find(Boolean);
      if (listening) { clearTimeout(late); resolve(Number(listening[1])); }
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    ended.then((why) => { clearTimeout(late); give(`it ended: ${why?.message ?? why}`); });
  });
  return {
    port,
    agent,
    log: () => lines.join("\n"),
    /// Resolves when a line of the log has `text`, which may be there already.
    logs: (text) => new Promise((resolve, reject) => {
      if (lines.some((line) => line.includes(text))) return resolve();
      const late = setTimeout(() => reject(new Error(`no line of the log has ${text}`)), ANSWER_LIMIT_MS);
      wanted.push({ text, found: () => { clearTimeout(late); resolve(); } });
    }),
    async stop() {
      agent.destroy();
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

/// One request, `what` as in "GET /path": {status, headers, cookies, bytes, text}. Redirects are not followed.
export function ask(server, what, { headers = {}, body } = {}) {
  const [method, path] = what.split(" ");
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: server.port, agent: server.agent, method, path, headers });
    const timer = setTimeout(() => request.destroy(new Error(`${what}: no answer within ${ANSWER_LIMIT_MS} ms`)), ANSWER_LIMIT_MS);
    const settle = (done, value) => { clearTimeout(timer); done(value); };
    request.on("error", (error) => settle(reject, error));
    request.on("response", (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", (error) => settle(reject, error));
      response.on("end", () => {
        const bytes = Buffer.concat(parts);
        const { statusCode: status, headers } = response;
        settle(resolve, { status, headers, cookies: headers["set-cookie"] ?? [], bytes, text: bytes.toString() });
      });
    });
    request.end(body);
  });
}

/// Runs `use` with the address of a server that answers `/NAME` with the text NAME; `/together/NAME` only when two
/// of those are there at once; `/status/NNN` with that status; `/request` with method, header x-asked and body.
export async function withOrigin(use) {
  const waiting = [];
  const origin = createServer(async (request, response) => {
    const [, first, second] = request.url.split("/");
    if (first === "together") {
      waiting.push(() => response.end(second));
      if (waiting.length === 2) for (const answer of waiting.splice(0)) answer();
      return;
    }
    if (first === "status") response.statusCode = Number(second);
    const body = Buffer.concat(await request.toArray());
    response.setHeader("x-origin", "here");
    response.end(first === "request" ? `${request.method} ${request.headers["x-asked"]} ${body}` : first);
  });
  await new Promise((listening) => origin.listen(0, "127.0.0.1", listening));
  try {
    return await use(`http://127.0.0.1:${origin.address().port}`);
  } finally {
    origin.closeAllConnections();
    await new Promise((closed) => origin.close(closed));
  }
}
