// Builds the example handlers of all SDKs and checks them on Dolmen, each against the same expectations. Node 20.
//
//   node sdk/check.mjs --dolmen PATH [--require c,zig] [--only c,zig] [--requests 100000]
//
// A language whose tools are missing is skipped, unless it is required.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analytics } from "./check/analytics.mjs";
import { answers } from "./check/expect.mjs";
import { hello } from "./check/hello.mjs";
import { Missing, languages, shown } from "./check/languages.mjs";
import { memory } from "./check/memory.mjs";
import { nethttp } from "./check/nethttp.mjs";
import { selftest } from "./check/selftest.mjs";
import { start } from "./check/server.mjs";

const USAGE = "usage: check.mjs --dolmen PATH [--require c,zig] [--only c,zig] [--requests N]";
/// The memory of an instance. What requests would leave behind in one is more than that, see memory.mjs.
const MEMORY_LIMIT = "64MiB";
/// The time of one event: a busy machine must not look like a handler that hangs.
const TIME_LIMIT = "60s";

/// What the handler of a README answers.
const readme = [
  answers("GET /greet/you%20all", {}, { text: "hello, you all" }),
  answers("GET /greet/", {}, { status: 404 }),
  answers("POST /greet/you", {}, { status: 405, headers: { allow: "GET" } }),
];

const options = parse(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "dolmen-sdk-"));
let failed = 0;
try {
  for (const [language, how] of Object.entries(languages)) {
    if (!options.only || options.only.includes(language)) failed += await checkLanguage(language, how);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;

function parse(words) {
  const options = { requests: 100_000, require: [] };
  while (words.length > 0) {
    const [flag, value] = words.splice(0, 2);
    if (value === undefined) usage(`${flag} needs a value`);
    if (flag === "--dolmen") options.dolmen = value;
    else if (flag === "--require" || flag === "--only") options[flag.slice(2)] = value.split(",");
    else if (flag === "--requests" && Number(value) > 0) options.requests = Number(value);
    else usage(`${flag} ${value} is not known`);
  }
  for (const language of [...options.require, ...(options.only ?? [])]) {
    if (!(language in languages)) usage(`there is no language ${language}, but ${Object.keys(languages).join(", ")}`);
  }
  if (!options.dolmen) usage("--dolmen is missing");
  return options;
}

function usage(problem) {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}

async function checkLanguage(language, how) {
  try {
    let failures = await checkExample(language, "hello", how, [...hello, ...memory(options.requests)]);
    failures += await checkExample(language, "analytics", how, analytics);
    if (how.handler) failures += await checkExample(language, "README", how, readme);
    if (how.nethttp) failures += await checkExample(language, "nethttp", how, nethttp);
    if (how.selftest) failures += await checkExample(language, "selftest", how, selftest);
    return failures;
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    const required = options.require.includes(language);
    console.log(`${language}: ${required ? "FAILED, it is required, but" : "skipped:"} ${error.message}`);
    return required ? 1 : 0;
  }
}

/// How many checks failed. A guest that cannot be built, or that Dolmen refuses, is one.
async function checkExample(language, example, how, checks) {
  const title = `${language} ${example}`;
  const place = join(folder, `${language}-${example}`);
  const module = join(place, "handler.wasm");
  let server;
  let problems = [];
  try {
    mkdirSync(place);
    if (example === "README") how.compile([shown(language, how.handler, place)], module, place);
    else how.build(example, module, place);
    server = await start({ dolmen: options.dolmen, module, folder: place, flags: ["--memory-limit", MEMORY_LIMIT, "--cpu-timeout", TIME_LIMIT] });
    problems = await runAll(checks, server, language);
    console.log(`${title}: ${checks.length - problems.length} of ${checks.length} checks passed`);
    if (problems.length > 0) problems.push(server.log());
  } catch (error) {
    if (error instanceof Missing) throw error;
    console.log(`${title}: FAILED`);
    problems = [error.message];
  } finally {
    await server?.stop();
  }
  for (const problem of problems) console.log(`    ${problem.replaceAll("\n", "\n    ")}`);
  return problems.length;
}

async function runAll(checks, server, language) {
  const problems = [];
  for (const { title, run } of checks) {
    try {
      await run(server, language);
    } catch (error) {
      problems.push(`${title}: ${error.message}`);
    }
  }
  return problems;
}
