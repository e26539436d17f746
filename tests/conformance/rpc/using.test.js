// `using` and `await using`: the disposal of stubs and of other resources at the end of a block.
import { DurableObject, RpcTarget } from "cloudflare:workers";
import { test, assert, until } from "../harness.js";
export { default } from "../harness.js";

class Watched extends RpcTarget {
  constructor(onDispose) { super(); this.onDispose = onDispose; }
  ping() { return "pong"; }
  [Symbol.dispose]() { this.onDispose(); }
}

export class Host extends DurableObject {
  disposals = 0;
  watched() { return new Watched(() => { this.disposals += 1; }); }
  getDisposals() { return this.disposals; }
  async use(f) {
    using own = f.dup();
    return own(2);
  }
}

const host = (env, name) => env.HOST.getByName(name);

const resource = (log, name, error) => ({
  name,
  [Symbol.dispose]() {
    log.push(`dispose ${name}`);
    if (error !== undefined) throw error;
  },
});
const asyncResource = (log, name, error) => ({
  name,
  async [Symbol.asyncDispose]() {
    log.push(`begin ${name}`);
    await null;
    log.push(`end ${name}`);
    if (error !== undefined) throw error;
  },
});
const thrownBy = (work) => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return "nothing";
};

test("using a stub disposes it at the end of the block", async ({ env, name }) => {
  const object = host(env, name);
  {
    using watched = await object.watched();
    assert.equal(await watched.ping(), "pong");
    assert.equal(await object.getDisposals(), 0);
  }
  await until(async () => (await object.getDisposals()) === 1);
  assert.equal(await object.getDisposals(), 1);
});

test("using a stub disposes it when the block throws", async ({ env, name }) => {
  const object = host(env, name);
  await assert.rejects(async () => {
    using watched = await object.watched();
    await watched.ping();
    throw new RangeError("in the block");
  }, { class: "RangeError", message: "in the block" });
  await until(async () => (await object.getDisposals()) === 1);
  assert.equal(await object.getDisposals(), 1);
});

test("using a stub beyond its block fails", async ({ env, name }) => {
  let kept;
  {
    using watched = await host(env, name).watched();
    kept = watched;
  }
  await assert.rejects(async () => kept.ping(), { message: "RPC stub used after being disposed." });
});

test("using a function that was passed", async ({ env, name }) => {
  assert.equal(await host(env, name).use((n) => n + 1), 3);
});

test("resources are disposed in the reverse order", () => {
  const log = [];
  {
    using a = resource(log, "a"), b = resource(log, "b");
    using c = resource(log, "c");
    log.push(`body ${a.name} ${b.name} ${c.name}`);
  }
  assert.deepEqual(log, ["body a b c", "dispose c", "dispose b", "dispose a"]);
});

test("null and undefined are no resources", () => {
  const log = [];
  {
    using a = null;
    using b = undefined;
    using c = resource(log, "c");
    log.push(a, typeof b);
  }
  assert.deepEqual(log, [null, "undefined", "dispose c"]);
});

test("a value without Symbol.dispose is refused, and what came before it disposed", () => {
  for (const value of [1, "text", {}, { [Symbol.dispose]: 1 }]) {
    const log = [];
    const error = thrownBy(() => {
      using a = resource(log, "a");
      using b = value;
      log.push("not reached");
    });
    assert.equal(error.constructor.name, "TypeError");
    assert.deepEqual(log, ["dispose a"]);
  }
});

test("return, break and continue dispose", () => {
  const log = [];
  const returns = () => {
    using a = resource(log, "a");
    return (log.push("value"), "returned");
  };
  assert.equal(returns(), "returned");
  for (const n of [1, 2, 3]) {
    using b = resource(log, `b${n}`);
    if (n === 1) continue;
    if (n === 2) break;
  }
  assert.deepEqual(log, ["value", "dispose a", "dispose b1", "dispose b2"]);
});

test("for (using x of y) disposes after each round", () => {
  const log = [];
  for (using a of [resource(log, "1"), null, resource(log, "2")]) log.push(`body ${a?.name}`);
  assert.deepEqual(log, ["body 1", "dispose 1", "body undefined", "body 2", "dispose 2"]);
});

test("for (using x = y;;) disposes after the last round", () => {
  const log = [];
  let n = 0;
  for (using a = resource(log, "a"); n < 2; n++) log.push(`body ${a.name}`);
  outer: for (using b = resource(log, "b"); n < 4; n++) {
    for (;;) continue outer;
  }
  assert.deepEqual([log, n], [["body a", "body a", "dispose a", "dispose b"], 4]);
});

test("an error of a disposer is thrown, and the others are disposed", () => {
  const log = [];
  const error = thrownBy(() => {
    using a = resource(log, "a");
    using b = resource(log, "b", new RangeError("of b"));
    using c = resource(log, "c");
  });
  assert.deepEqual([error.constructor.name, error.message], ["RangeError", "of b"]);
  assert.deepEqual(log, ["dispose c", "dispose b", "dispose a"]);
});

test("errors of a block and of disposers make SuppressedErrors", () => {
  const log = [];
  const error = thrownBy(() => {
    using a = resource(log, "a", new Error("of a"));
    using b = resource(log, "b", new Error("of b"));
    throw new Error("of the block");
  });
  assert.equal(error instanceof SuppressedError, true);
  assert.deepEqual([error.name, error.message], ["SuppressedError", "An error was suppressed during disposal"]);
  assert.equal(error.error.message, "of a");
  assert.equal(error.suppressed.constructor.name, "SuppressedError");
  assert.equal(error.suppressed.error.message, "of b");
  assert.equal(error.suppressed.suppressed.message, "of the block");
});

test("a block that throws undefined is an error, too", () => {
  const error = thrownBy(() => {
    using a = resource([], "a", "of a");
    throw undefined;
  });
  assert.deepEqual([error instanceof SuppressedError, error.error, "suppressed" in error, error.suppressed], [true, "of a", true, undefined]);
});

test("await using waits for each disposer", async () => {
  const log = [];
  {
    await using a = asyncResource(log, "a");
    await using b = asyncResource(log, "b");
    log.push(`body ${a.name} ${b.name}`);
  }
  log.push("after");
  assert.deepEqual(log, ["body a b", "begin b", "end b", "begin a", "end a", "after"]);
});

test("await using takes Symbol.dispose and null, and mixes with using", async () => {
  const log = [];
  {
    using a = resource(log, "a");
    await using b = resource(log, "b");
    await using c = null;
    using d = resource(log, "d");
    await using e = asyncResource(log, "e");
    log.push(c);
  }
  assert.deepEqual(log, [null, "begin e", "end e", "dispose d", "dispose b", "dispose a"]);
});

test("await using null waits once", async () => {
  const log = [];
  const block = async () => {
    {
      await using a = null;
    }
    log.push("after");
  };
  const done = block();
  log.push("meanwhile");
  await done;
  assert.deepEqual(log, ["meanwhile", "after"]);
});

test("what Symbol.dispose returns is not waited for by await using", async () => {
  let waited = false;
  {
    await using a = { [Symbol.dispose]: () => ({ then(done) { waited = true; done(); } }) };
  }
  assert.equal(waited, false);
});

test("errors of asynchronous disposers", async () => {
  const log = [];
  let error;
  try {
    await using a = asyncResource(log, "a", new Error("of a"));
    await using b = asyncResource(log, "b", new Error("of b"));
    throw new Error("of the block");
  } catch (caught) {
    error = caught;
  }
  assert.equal(error.error.message, "of a");
  assert.deepEqual([error.suppressed.error.message, error.suppressed.suppressed.message], ["of b", "of the block"]);
  assert.deepEqual(log, ["begin b", "end b", "begin a", "end a"]);
});

test("for await (using x of y) and for (await using x of y)", async () => {
  const log = [];
  async function* two() {
    yield resource(log, "1");
    yield resource(log, "2");
  }
  for await (using a of two()) log.push(`body ${a.name}`);
  for (await using b of [asyncResource(log, "3")]) log.push(`body ${b.name}`);
  assert.deepEqual(log, ["body 1", "dispose 1", "body 2", "dispose 2", "body 3", "begin 3", "end 3"]);
});

test("using is still a name", () => {
  const using = [1, 2];
  const await_using = using[0];
  assert.deepEqual([using[1], await_using, { using }.using.length], [2, 1, 2]);
});

test("SuppressedError", () => {
  const error = new SuppressedError(1, 2, "why");
  assert.deepEqual([error instanceof Error, error.name, error.message, error.error, error.suppressed], [true, "SuppressedError", "why", 1, 2]);
  assert.deepEqual(Object.keys(error), []);
  assert.equal(Object.prototype.toString.call(error), "[object Error]");
  assert.deepEqual([SuppressedError(1, 2).message, Object.getPrototypeOf(SuppressedError) === Error, SuppressedError.length], ["", true, 3]);
});

test("DisposableStack", () => {
  const log = [];
  const stack = new DisposableStack();
  assert.equal(stack.use(resource(log, "a")).name, "a");
  assert.equal(stack.use(null), null);
  assert.equal(stack.adopt("value", (value) => log.push(`adopted ${value}`)), "value");
  assert.equal(stack.defer(() => log.push("deferred")), undefined);
  const moved = stack.move();
  assert.deepEqual([stack.disposed, moved.disposed, log], [true, false, []]);
  {
    using end = moved;
    log.push(typeof end);
  }
  assert.deepEqual(log, ["object", "deferred", "adopted value", "dispose a"]);
  assert.deepEqual([moved.disposed, moved.dispose()], [true, undefined]);
  assert.equal(thrownBy(() => moved.use(null)).constructor.name, "ReferenceError");
  assert.equal(thrownBy(() => new DisposableStack().defer(1)).constructor.name, "TypeError");
  assert.equal(DisposableStack.prototype[Symbol.dispose] === DisposableStack.prototype.dispose, true);
  assert.equal(`${stack}`, "[object DisposableStack]");
});

test("AsyncDisposableStack", async () => {
  const log = [];
  const stack = new AsyncDisposableStack();
  stack.use(asyncResource(log, "a"));
  stack.adopt("value", async (value) => { await null; log.push(`adopted ${value}`); });
  stack.defer(() => log.push("deferred"));
  stack.use(resource(log, "b"));
  {
    await using end = stack;
    log.push(end.disposed);
  }
  assert.deepEqual(log, [false, "dispose b", "deferred", "adopted value", "begin a", "end a"]);
  assert.deepEqual([stack.disposed, await stack.disposeAsync()], [true, undefined]);
  assert.equal(thrownBy(() => stack.defer(() => {})).constructor.name, "ReferenceError");
});

test("the line of an error beside using", () => {
  using a = resource([], "a");
  const first = new Error("one");
  const second = new Error(
    "two");
  const line = (error) => Number(/using\.test\.js:(\d+)/.exec(error.stack)[1]);
  assert.equal(line(second) - line(first), 1);
});
