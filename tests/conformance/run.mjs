// Runs the conformance tests against a server: starts it for each test file on a free loopback port with an empty
// storage folder, runs the file's tests one request each, and ends it. Node 20, no dependencies.
//
//   node tests/conformance/run.mjs --on workerd|dolmen [--dolmen PATH] [--workerd PATH] [--fast] [--log] [--json FILE] [filter...]
//
// A filter is a part of a file's path ("kv/"), or of "path > test name". The exit code is 1 when a result was not the expected one.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { http, json, programs, required, start as startServer } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const options = parse(process.argv.slice(2));
const differences = JSON.parse(readFileSync(join(here, "differences.json"), "utf8"));
process.exitCode = (await main()) ? 0 : 1;

function parse(words) {
  const options = {
    on: undefined,
    dolmen: programs.dolmen.path, workerd: programs.workerd.path,
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
  required(options.on, options[options.on]);
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
    const names = await json(server, "/list");
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
    for (const { name, request, expect } of await json(server, "/wire")) {
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
    return await json(server, path);
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

async function start(file) {
  const folder = mkdtempSync(join(tmpdir(), "dolmen-conformance-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const server = await startServer({ on: options.on, program: options[options.on], root: here, entry: file, folder });
    return { ...server, stop: () => server.stop().then(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

function indent(text) {
  return text.split("\n").filter(Boolean).slice(0, 100).map((line) => `    ${line}`).join("\n");
}
