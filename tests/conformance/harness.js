// The harness of the conformance tests: a test file registers its tests here and exports `serve` as its fetch handler.
// One request runs one test, so a test that hangs costs its own request and nothing else. The assertions are our own,
// because node:assert is itself under test.

const tests = new Map();
const wires = [];
let assertions = 0;
let serial = 0;

/// Stands for a value that the author of a test does not know yet: the test fails at its end and tells it.
const UNKNOWN = "?";
let learned = [];

/// Registers a test. `options.slow` marks one that needs more than two seconds.
export function test(name, options, body) {
  if (typeof options === "function") [options, body] = [{}, options];
  if (tests.has(name)) throw new Error(`two tests are named "${name}"`);
  tests.set(name, { options, body });
}

const bodies = new Map();

/// Registers a test whose body runs within an object: that of the binding BOX, whose class has `run(name) { return
/// runInside(this, name); }`. The body gets {object, ctx, env, storage, sql, kv, name}.
export function inside(name, options, body) {
  if (typeof options === "function") [options, body] = [{}, options];
  bodies.set(name, body);
  test(name, options, async (t) => {
    const result = await t.env.BOX.getByName(t.name).run(name);
    assertions += result.assertions;
    learned.push(...result.learned);
    if (result.error) throw Object.assign(new Failure(result.error), { stack: "" });
  });
}

/// Runs the body of the `inside` test of that name within `object`.
export async function runInside(object, name) {
  const { ctx, env } = object;
  const storage = ctx.storage;
  // The object and the worker may share this module, so what was counted here is counted back.
  const before = { assertions, learned };
  learned = [];
  const result = { error: undefined };
  try {
    await bodies.get(name)({ object, ctx, env, storage, sql: storage.sql, kv: storage.kv, name: ctx.id.name });
  } catch (error) {
    result.error = describe(error);
  }
  result.assertions = assertions - before.assertions;
  result.learned = learned;
  ({ assertions, learned } = before);
  return result;
}

/// Registers an exchange that the runner makes over its own HTTP client, and what it must see.
/// request: {method?, path, headers?, body?}; expect: {status?, headers?: {name: value | null}, setCookie?: [], body?: string}.
export function wire(name, request, expect) {
  wires.push({ name, request, expect });
}

/// Answers /list, /slow, /wire and /run?test=NAME; undefined for any other path, which is the test file's own.
export async function serve(request, env, ctx) {
  const url = new URL(request.url);
  if (url.pathname === "/list") return json([...tests.keys()]);
  if (url.pathname === "/slow") return json([...tests].filter(([, { options }]) => options.slow).map(([name]) => name));
  if (url.pathname === "/wire") return json(wires);
  if (url.pathname !== "/run") return undefined;
  const name = url.searchParams.get("test");
  const found = tests.get(name);
  if (!found) return json({ name, ok: false, error: `no test is named "${name}"` });
  if (found.options.slow && url.searchParams.has("fast")) return json({ name, ok: true, skipped: "slow" });
  assertions = 0;
  learned = [];
  serial += 1;
  const t = { name: `${name} ${serial} ${crypto.randomUUID()}`, env, ctx, request, origin: url.origin };
  try {
    await found.body(t);
    if (learned.length > 0) throw new Failure(learned.join("\n"));
    if (assertions === 0) throw new Error("the test asserted nothing");
    return json({ name, ok: true, assertions });
  } catch (error) {
    return json({ name, ok: false, assertions, error: describe(error) });
  }
}

export default {
  async fetch(request, env, ctx) {
    return (await serve(request, env, ctx)) ?? new Response("not found", { status: 404 });
  },
};

/// A promise kept open from outside.
export function deferred() {
  let resolve, reject;
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// Calls `probe` until it answers something truthy, at most `ms` milliseconds long, and returns that.
export async function until(probe, ms = 5000) {
  const tries = Math.ceil(ms / 20);
  for (let i = 0; i < tries; i++) {
    const answer = await probe();
    if (answer) return answer;
    await sleep(20);
  }
  throw new Error(`nothing came within ${ms} ms`);
}

/// What an error is, as plain data that survives any boundary: for comparing inside and outside of an object.
export function facts(error) {
  if (!(error instanceof Error)) return { thrown: show(error) };
  return { class: classOf(error), name: error.name, message: error.message };
}

/// The facts of what `action` throws or rejects with, or {returned: true}.
export async function outcome(action) {
  try {
    await action();
    return { returned: true };
  } catch (error) {
    return facts(error);
  }
}

/// The same for a synchronous action.
export function outcomeSync(action) {
  try {
    action();
    return { returned: true };
  } catch (error) {
    return facts(error);
  }
}

export const assert = {
  ok(value, message) {
    assertions += 1;
    if (!value) fail(message, `expected a truthy value, got ${show(value)}`);
  },
  equal(actual, expected, message) {
    assertions += 1;
    if (expected === UNKNOWN) return learn(message ?? "value", actual);
    if (!Object.is(actual, expected)) fail(message, `expected ${show(expected)}, got ${show(actual)}`);
  },
  notEqual(actual, unexpected, message) {
    assertions += 1;
    if (Object.is(actual, unexpected)) fail(message, `expected anything but ${show(unexpected)}`);
  },
  deepEqual(actual, expected, message) {
    assertions += 1;
    if (expected === UNKNOWN) return learn(message ?? "value", actual);
    const where = difference(actual, expected, "value", new Map());
    if (where) fail(message, `${where}\n  actual:   ${show(actual)}\n  expected: ${show(expected)}`);
  },
  match(text, pattern, message) {
    assertions += 1;
    if (typeof text !== "string" || !pattern.test(text)) fail(message, `expected text like ${pattern}, got ${show(text)}`);
  },
  /// expected: {class?: "TypeError", name?, message?: string | RegExp, ...own properties}. Returns the error.
  throws(action, expected = {}, message) {
    let error;
    try {
      const value = action();
      assertions += 1;
      fail(message, `expected a throw of ${show(expected)}, got the value ${show(value)}`);
    } catch (thrown) {
      if (thrown instanceof Failure) throw thrown;
      error = thrown;
    }
    checkError(error, expected, message);
    return error;
  },
  async rejects(promise, expected = {}, message) {
    let value;
    try {
      value = await (typeof promise === "function" ? promise() : promise);
    } catch (error) {
      checkError(error, expected, message);
      return error;
    }
    assertions += 1;
    return fail(message, `expected a rejection with ${show(expected)}, got the value ${show(value)}`);
  },
};

class Failure extends Error {}

function fail(message, detail) {
  throw new Failure(message ? `${message}: ${detail}` : detail);
}

function learn(what, actual) {
  learned.push(`${what} is ${show(actual)}`);
}

function classOf(error) {
  if (typeof DOMException === "function" && error instanceof DOMException) return "DOMException";
  for (const kind of [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    if (error instanceof kind) return kind.name;
  }
  return error instanceof Error ? "Error" : typeof error;
}

function checkError(error, expected, message) {
  const got = `${classOf(error)} ${show(error)}`;
  if (Object.keys(expected).length === 0) {
    assertions += 1;
    if (!(error instanceof Error)) fail(message, `expected an Error, got ${got}`);
  }
  for (const [key, value] of Object.entries(expected)) {
    assertions += 1;
    const actual = key === "class" ? classOf(error) : error?.[key];
    if (value === UNKNOWN) {
      learn(`${message ?? "error"} ${key}`, actual);
      continue;
    }
    const same = value instanceof RegExp ? typeof actual === "string" && value.test(actual) : !difference(actual, value, key, new Map());
    if (!same) fail(message, `error ${key}: expected ${show(value)}, got ${show(actual)} of ${got}`);
  }
}

// The path of the first difference, or undefined. Compares prototypes by constructor name, so that clones compare equal.
function difference(a, b, path, seen) {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return `${path}: ${show(a)} is not ${show(b)}`;
  if (seen.get(a) === b) return undefined;
  seen.set(a, b);
  const kind = tag(a);
  if (kind !== tag(b)) return `${path}: ${kind} is not ${tag(b)}`;
  if (kind === "Date") return a.getTime() === b.getTime() ? undefined : `${path}: ${a.getTime()} is not ${b.getTime()}`;
  if (kind === "RegExp") return String(a) === String(b) ? undefined : `${path}: ${a} is not ${b}`;
  if (a instanceof ArrayBuffer) return difference([...new Uint8Array(a)], [...new Uint8Array(b)], path, seen);
  if (ArrayBuffer.isView(a)) {
    return difference(a.constructor.name + [...bytes(a)], b.constructor.name + [...bytes(b)], path, seen);
  }
  if (kind === "Map") return difference([...a], [...b], `${path}.entries`, seen);
  if (kind === "Set") return difference([...a], [...b], `${path}.values`, seen);
  if (a instanceof Error) return difference([a.name, a.message], [b.name, b.message], `${path}.error`, seen);
  if (Array.isArray(a) && a.length !== b.length) return `${path}.length: ${a.length} is not ${b.length}`;
  const keys = Object.keys(a);
  for (const key of Object.keys(b)) if (!keys.includes(key)) return `${path}.${key} is missing`;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return `${path}.${key} is too much: ${show(a[key])}`;
    const where = difference(a[key], b[key], `${path}.${key}`, seen);
    if (where) return where;
  }
  return undefined;
}

const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);

function show(value, depth = 0) {
  try {
    if (typeof value === "string") return JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}… (${value.length})` : value);
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    if (typeof value === "function") return `[function ${value.name}]`;
    if (typeof value !== "object" || value === null) return String(value);
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (depth > 4) return "…";
    if (value instanceof RegExp) return String(value);
    if (value instanceof Date) return `Date(${value.getTime()})`;
    if (value instanceof ArrayBuffer) return `ArrayBuffer[${[...new Uint8Array(value).slice(0, 32)]}]`;
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}[${[...bytes(value).slice(0, 32)]}]`;
    if (value instanceof Map) return `Map{${[...value].map(([k, v]) => `${show(k, depth + 1)} => ${show(v, depth + 1)}`).join(", ")}}`;
    if (value instanceof Set) return `Set{${[...value].map((v) => show(v, depth + 1)).join(", ")}}`;
    if (Array.isArray(value)) return `[${value.slice(0, 64).map((v) => show(v, depth + 1)).join(", ")}${value.length > 64 ? ", …" : ""}]`;
    const members = Object.entries(value).map(([k, v]) => `${k}: ${show(v, depth + 1)}`).join(", ");
    return `${tag(value) === "Object" ? "" : tag(value)}{${members}}`;
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

function describe(error) {
  if (!(error instanceof Error)) return `thrown: ${show(error)}`;
  const stack = String(error.stack ?? "").split("\n").filter((line) => /\.test\.js/.test(line)).slice(0, 3).join("\n");
  const name = error instanceof Failure ? "" : `${error.name}: `;
  return stack ? `${name}${error.message}\n${stack}` : `${name}${error.message}`;
}

function json(value) {
  return new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
}
