// Variables, given by vars.manifest.json: in `env` everywhere, and as text in `process.env`.
import { DurableObject, WorkerEntrypoint, env as imported } from "cloudflare:workers";
import process from "node:process";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

const VARS = { TEXT: "some text", EMPTY: "", NUMBER: 5, LIST: [1, { a: null }], FLAG: true, TEXT_OF_NUMBER: "7" };
const early = { env: varsOf(imported), process: { ...process.env } };

function varsOf(env) {
  return Object.fromEntries(Object.keys(VARS).map((name) => [name, env[name]]));
}

export class Holder extends DurableObject {
  fromConstructor = varsOf(this.env);
  vars() { return [this.fromConstructor, varsOf(this.env), varsOf(imported), { ...process.env }]; }
}

export class Other extends WorkerEntrypoint {
  vars() { return varsOf(this.env); }
}

const TEXTS = { TEXT: "some text", EMPTY: "", NUMBER: "5", LIST: "[1,{\"a\":null}]", FLAG: "true", TEXT_OF_NUMBER: "7" };

test("variables are members of env", ({ env }) => {
  assert.deepEqual(varsOf(env), VARS);
  assert.ok(Object.keys(env).includes("TEXT"));
  assert.deepEqual([typeof env.NUMBER, Array.isArray(env.LIST)], ["number", true]);
});

test("variables are there when the worker is loaded", () => {
  assert.deepEqual(early.env, VARS);
  assert.deepEqual(early.process, TEXTS);
});

test("variables in an object and in an entrypoint", async ({ env, ctx, name }) => {
  assert.deepEqual(await env.HOLDER.getByName(name).vars(), [VARS, VARS, VARS, TEXTS]);
  assert.deepEqual(await ctx.exports.Other.vars(), VARS);
});

test("process.env has variables as text", () => {
  assert.deepEqual({ ...process.env }, TEXTS);
  assert.equal(globalThis.process.env.NUMBER, "5");
  assert.equal(process.env.HOLDER, undefined);
});
