// Alarms: setting, firing, retrying.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert, sleep, until } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  alarm() {}
}

export class NoAlarm extends DurableObject {
  async set() { await this.ctx.storage.setAlarm(Date.now() + 1000); }
  async get() { return this.ctx.storage.getAlarm(); }
  async clear() { return this.ctx.storage.deleteAlarm(); }
}

export class Clock extends DurableObject {
  runs = [];
  mode = "note";
  async set(inMs, mode = "note") {
    this.mode = mode;
    const time = Date.now() + inMs;
    await this.ctx.storage.setAlarm(time);
    return time;
  }
  setDate(inMs) { return this.ctx.storage.setAlarm(new Date(Date.now() + inMs)); }
  cancel() { return this.ctx.storage.deleteAlarm(); }
  getAlarm() { return this.ctx.storage.getAlarm(); }
  getRuns() { return this.runs; }
  get(key) { return this.ctx.storage.get(key); }
  abort() { this.ctx.abort("before the alarm"); }
  async abortAfterSet() {
    await this.ctx.storage.setAlarm(Date.now() + 5);
    this.ctx.abort("uncommitted");
  }
  async alarm(info) {
    const run = {
      isRetry: info.isRetry, retryCount: info.retryCount, scheduled: info.scheduledTime, during: await this.ctx.storage.getAlarm(),
      name: this.ctx.id.name, late: Date.now() - info.scheduledTime, keys: Object.keys(info).sort(),
    };
    this.runs.push(run);
    await this.ctx.storage.put("runs", ((await this.ctx.storage.get("runs")) ?? 0) + 1);
    const first = this.runs.length === 1;
    switch (this.mode) {
      case "fail once": if (first) throw new Error("first run fails"); break;
      case "again": if (first) await this.ctx.storage.setAlarm(Date.now() + 10); break;
      case "fail and set": if (first) { await this.ctx.storage.setAlarm(Date.now() + 10); throw new Error("fails, and set anew"); } break;
      case "fail and delete": await this.ctx.storage.deleteAlarm(); throw new Error("fails, and deleted");
      case "set within": await this.ctx.storage.setAlarm(run.scheduled + 3600_000); run.after = await this.ctx.storage.getAlarm(); break;
      case "slow": await sleep(60); run.ended = true; break;
      case "overlap":
        run.overlapped = this.busy === true;
        this.busy = true;
        if (first) await this.ctx.storage.setAlarm(Date.now() + 5);
        await sleep(50);
        this.busy = false;
        run.ended = true;
        break;
      case "abort for good":
        await this.ctx.storage.put("aborted", 1);
        await this.ctx.storage.sync();
        this.ctx.abort("in the alarm, for good", { retryAlarm: false });
        break;
      case "abort":
        await this.ctx.storage.put("aborted", 1);
        await this.ctx.storage.sync();
        this.ctx.abort("in the alarm");
        break;
      default: break;
    }
  }
}

const runs = (stub, n, ms) => until(async () => {
  const all = await stub.getRuns();
  return all.length >= n && all;
}, ms);

inside("without an alarm, getAlarm is null", async ({ storage }) => {
  assert.equal(await storage.getAlarm(), null);
  assert.equal(await storage.deleteAlarm(), undefined);
});

inside("setAlarm, getAlarm, deleteAlarm", async ({ storage }) => {
  const time = Date.now() + 100_000;
  assert.equal(await storage.setAlarm(time), undefined);
  assert.equal(await storage.getAlarm(), time);
  await storage.deleteAlarm();
  assert.equal(await storage.getAlarm(), null);
});

inside("an alarm may be a Date, and replaces the one before", async ({ storage }) => {
  const time = Date.now() + 100_000;
  await storage.setAlarm(new Date(time));
  assert.equal(await storage.getAlarm(), time);
  await storage.setAlarm(time + 7);
  assert.equal(await storage.getAlarm(), time + 7);
  await storage.setAlarm(time - 7);
  assert.equal(await storage.getAlarm(), time - 7);
});

inside("getAlarm sees what was not awaited", async ({ storage }) => {
  const time = Date.now() + 100_000;
  storage.setAlarm(time);
  assert.equal(await storage.getAlarm(), time);
  storage.deleteAlarm();
  assert.equal(await storage.getAlarm(), null);
});

inside("fractions of a millisecond are cut off", async ({ storage }) => {
  const time = Date.now() + 100_000;
  await storage.setAlarm(time + 0.75);
  assert.equal(await storage.getAlarm(), time);
});

inside("options are accepted", async ({ storage }) => {
  const time = Date.now() + 100_000;
  await storage.setAlarm(time, { allowUnconfirmed: true, allowConcurrency: true });
  assert.equal(await storage.getAlarm({ allowConcurrency: true }), time);
  await storage.deleteAlarm({ allowUnconfirmed: true, allowConcurrency: true });
  assert.equal(await storage.getAlarm(), null);
});

inside("times that are refused", async ({ storage }) => {
  await assert.rejects(async () => storage.setAlarm(0), { class: "TypeError", message: "setAlarm() cannot be called with an alarm time <= 0" });
  await assert.rejects(async () => storage.setAlarm(-1), { class: "TypeError", message: "setAlarm() cannot be called with an alarm time <= 0" });
  await assert.rejects(async () => storage.setAlarm(NaN), { class: "TypeError", message: "The value cannot be converted because it is not a valid Date." });
  await assert.rejects(async () => storage.setAlarm(new Date(NaN)), { class: "TypeError", message: "The value cannot be converted because it is not a valid Date." });
  for (const late of [new Date("2263-01-01"), new Date(8.64e15), 1e20]) {
    await assert.rejects(async () => storage.setAlarm(late), { class: "TypeError", message: "This API doesn't support dates after 2189." });
  }
  await assert.rejects(async () => storage.setAlarm("soon"), { class: "TypeError" });
  await assert.rejects(async () => storage.setAlarm(), { class: "TypeError" });
  assert.equal(await storage.getAlarm(), null);
});

inside("an alarm by transaction", async ({ storage }) => {
  const time = Date.now() + 100_000;
  await storage.transaction(async (txn) => {
    await txn.setAlarm(time);
    assert.equal(await txn.getAlarm(), time);
  });
  assert.equal(await storage.getAlarm(), time);
  await storage.transaction(async (txn) => {
    await txn.deleteAlarm();
    assert.equal(await txn.getAlarm(), null);
    txn.rollback();
  });
  assert.equal(await storage.getAlarm(), time);
  await storage.deleteAlarm();
});

test("a class without alarm() cannot set one", async ({ env, name }) => {
  const stub = env.NO_ALARM.getByName(name);
  await assert.rejects(stub.set(), { class: "TypeError", message: "Your Durable Object class must have an alarm() handler in order to call setAlarm()" });
  assert.equal(await stub.get(), null);
  assert.equal(await stub.clear(), undefined);
});

test("an alarm fires once, at its time, with its information", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  const time = await stub.set(30);
  const [run] = await runs(stub, 1);
  assert.equal(run.isRetry, false);
  assert.equal(run.retryCount, 0);
  assert.equal(run.scheduled, time);
  assert.equal(run.during, null);
  assert.equal(run.name, name);
  assert.ok(run.late >= 0 && run.late < 1000, `${run.late} ms late`);
  assert.deepEqual(run.keys, ["isRetry", "retryCount", "scheduledTime"]);
  assert.equal(await stub.getAlarm(), null);
  await sleep(50);
  assert.equal((await stub.getRuns()).length, 1);
});

test("the information is of numbers and a boolean", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.setDate(5);
  const [run] = await runs(stub, 1);
  assert.deepEqual([typeof run.isRetry, typeof run.retryCount, typeof run.scheduled], ["boolean", "number", "number"]);
});

test("an alarm in the past fires at once", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(-100_000);
  const [run] = await runs(stub, 1);
  assert.ok(run.late >= 0, `${run.late}`);
});

test("a deleted alarm does not fire", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(1000);
  await stub.cancel();
  await sleep(1200);
  assert.equal((await stub.getRuns()).length, 0);
});

test("a replaced alarm fires at its new time alone", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(400);
  const time = await stub.set(450);
  await runs(stub, 1);
  await sleep(60);
  const all = await stub.getRuns();
  assert.equal(all.length, 1);
  assert.equal(all[0].scheduled, time);
});

test("an alarm moved earlier fires earlier", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(3600_000);
  const time = await stub.set(10);
  const [run] = await runs(stub, 1, 1500);
  assert.equal(run.scheduled, time);
});

test("an alarm set by the handler fires again", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(5, "again");
  const all = await runs(stub, 2);
  assert.equal(all[1].isRetry, false);
  assert.equal(all[1].retryCount, 0);
  assert.ok(all[1].scheduled > all[0].scheduled);
});

test("getAlarm in the handler: null, and what the handler itself set", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  const time = await stub.set(5, "set within");
  const [run] = await until(async () => {
    const all = await stub.getRuns();
    return all[0]?.after && all;
  });
  assert.equal(run.during, null);
  assert.equal(run.after, time + 3600_000);
  assert.equal(await stub.getAlarm(), time + 3600_000);
  await stub.cancel();
});

test("other calls are answered while the handler awaits a timer", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(5, "slow");
  const [run] = await runs(stub, 1);
  assert.equal(run.ended, undefined);
  await until(async () => (await stub.getRuns())[0].ended);
  assert.equal((await stub.getRuns()).length, 1);
});

test("two runs of one object's alarm do not overlap", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(5, "overlap");
  const all = await until(async () => {
    const seen = await stub.getRuns();
    return seen.length === 2 && seen[1].ended && seen;
  });
  assert.deepEqual(all.map((run) => [run.overlapped, run.isRetry]), [[false, false], [false, false]]);
});

test("objects have alarms of their own", async ({ env, name }) => {
  const stubs = [0, 1, 2, 3, 4].map((i) => env.CLOCK.getByName(`${name}/${i}`));
  await Promise.all(stubs.map((stub, i) => stub.set(5 + i * 5)));
  const all = await Promise.all(stubs.map((stub) => runs(stub, 1)));
  assert.deepEqual(all.map(([run]) => run.name), [0, 1, 2, 3, 4].map((i) => `${name}/${i}`));
});

test("an alarm wakes an object that was reset", async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(50);
  await assert.rejects(stub.abort(), { message: "before the alarm" });
  const again = env.CLOCK.getByName(name);
  assert.equal((await runs(again, 1)).length, 1);
  assert.equal(await again.get("runs"), 1);
});

test("an alarm that was not committed does not fire", async ({ env, name }) => {
  await assert.rejects(env.CLOCK.getByName(name).abortAfterSet(), { message: "uncommitted" });
  await sleep(60);
  assert.equal(await env.CLOCK.getByName(name).get("runs"), undefined);
  assert.equal(await env.CLOCK.getByName(name).getAlarm(), null);
});

test("a handler that throws is tried again after two seconds or more", { slow: true }, async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  const time = await stub.set(5, "fail once");
  await runs(stub, 1);
  const pending = await stub.getAlarm();
  const all = await runs(stub, 2, 8000);
  assert.equal(all[1].isRetry, true);
  assert.equal(all[1].retryCount, 1);
  assert.equal(all[1].scheduled - time, 0);
  assert.equal(pending === null ? null : pending - time, 0);
  assert.ok(all[1].late >= 0);
  assert.equal(await stub.getAlarm(), null);
  assert.equal(await stub.get("runs"), 2, "what the failed run wrote is kept");
  await sleep(100);
  assert.equal((await stub.getRuns()).length, 2);
});

test("an alarm set by a handler that then throws stands for the retry", { slow: true }, async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(5, "fail and set");
  const all = await runs(stub, 2, 8000);
  assert.notEqual(all[1].scheduled, all[0].scheduled);
  assert.equal(all[1].isRetry, false);
  await sleep(2800);
  assert.equal((await stub.getRuns()).length, 2);
});

test("an alarm deleted by a handler that then throws is not retried", { slow: true }, async ({ env, name }) => {
  const stub = env.CLOCK.getByName(name);
  await stub.set(5, "fail and delete");
  await runs(stub, 1);
  await sleep(3200);
  assert.equal((await stub.getRuns()).length, 1);
  assert.equal(await stub.getAlarm(), null);
});

test("a handler that aborts the object is tried again", { slow: true }, async ({ env, name }) => {
  await env.CLOCK.getByName(name).set(5, "abort");
  await until(async () => (await env.CLOCK.getByName(name).get("aborted").catch(() => 0)) === 1);
  // The mode was memory and is forgotten: the retry only notes.
  const all = await until(async () => {
    const seen = await env.CLOCK.getByName(name).getRuns().catch(() => []);
    return seen.length > 0 && !seen[0].during && (await env.CLOCK.getByName(name).get("runs").catch(() => 0)) === 2 && seen;
  }, 9000);
  assert.equal(all[0].isRetry, true);
  assert.equal(all[0].retryCount, 1);
});

test("an abort with retryAlarm: false ends the alarm", { slow: true }, async ({ env, name }) => {
  await env.CLOCK.getByName(name).set(5, "abort for good");
  await until(async () => (await env.CLOCK.getByName(name).get("aborted").catch(() => 0)) === 1);
  await sleep(3500);
  assert.equal(await env.CLOCK.getByName(name).get("runs"), 1);
  assert.equal(await env.CLOCK.getByName(name).getAlarm(), null);
});
