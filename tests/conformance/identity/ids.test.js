// Ids: how they are made, what they look like and which are refused.
import { DurableObject } from "cloudflare:workers";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

export class Room extends DurableObject {
  about() {
    return { id: this.ctx.id.toString(), name: this.ctx.id.name, nameIs: typeof this.ctx.id.name };
  }
  compare(hex) {
    return this.ctx.id.equals(this.env.ROOM.idFromString(hex));
  }
  fetch() {
    return Response.json(this.about());
  }
}

export class Counter extends DurableObject {
  about() {
    return this.ctx.id.toString();
  }
}

test("idFromName is deterministic and 64 lower-case hex digits", ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.match(id.toString(), /^[0-9a-f]{64}$/);
  assert.equal(id.toString(), env.ROOM.idFromName(name).toString());
  assert.notEqual(id.toString(), env.ROOM.idFromName(`${name}x`).toString());
});

test("ids of known names", ({ env }) => {
  assert.equal(env.ROOM.idFromName("lobby").toString(), "07f468bdb821b368f9d8dd0bab0d46480417e507daa33fe5aa85f53398feca41");
  assert.equal(env.ROOM.idFromName("").toString(), "bd42d4dd79bd442afdaee61541a791f586c9909ec45ff22d07e1ed3d80804dc1");
  assert.equal(env.ROOM.idFromName("名前 😀").toString(), "e1203d77ea20d5f3d2f9f0eeafd3d06fae6233cae017b2379e0ec693bcb986b5");
  assert.equal(env.COUNTER.idFromName("lobby").toString(), "16fc1a9d7c839519f792300cdd322b5348dea9392e8f77e07ebe4045b2c42de4");
});

test("an id is HMAC(SHA-256(unique key), name), then the HMAC of that", async ({ env, name }) => {
  const text = new TextEncoder();
  const hmac = async (key, data) => {
    const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data)).slice(0, 16);
  };
  const key = await crypto.subtle.digest("SHA-256", text.encode("ROOM"));
  const head = await hmac(key, text.encode(name));
  const tail = await hmac(key, head);
  const hex = [...head, ...tail].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assert.equal(env.ROOM.idFromName(name).toString(), hex);
});

test("newUniqueId gives a new id each time, without a name", ({ env }) => {
  const ids = Array.from({ length: 20 }, () => env.ROOM.newUniqueId());
  assert.equal(new Set(ids.map(String)).size, 20);
  for (const id of ids) assert.match(id.toString(), /^[0-9a-f]{64}$/);
  assert.equal(ids[0].name, undefined);
  assert.equal(env.ROOM.idFromString(ids[0].toString()).toString(), ids[0].toString());
});

test("newUniqueId accepts options", ({ env }) => {
  assert.match(env.ROOM.newUniqueId({}).toString(), /^[0-9a-f]{64}$/);
  assert.match(env.ROOM.newUniqueId({ jurisdiction: undefined }).toString(), /^[0-9a-f]{64}$/);
});

test("an id made from a name has it as `name`", ({ env, name }) => {
  assert.equal(env.ROOM.idFromName(name).name, name);
  assert.equal(env.ROOM.idFromName("").name, "");
});

test("idFromName turns its argument into a string", ({ env }) => {
  assert.equal(env.ROOM.idFromName(42).toString(), env.ROOM.idFromName("42").toString());
  assert.equal(env.ROOM.idFromName(undefined).toString(), env.ROOM.idFromName("undefined").toString());
});

test("idFromName without an argument", ({ env }) => {
  assert.throws(() => env.ROOM.idFromName(), { class: "TypeError" });
});

test("equals compares ids, wherever they came from", ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.equal(id.equals(env.ROOM.idFromName(name)), true);
  assert.equal(id.equals(env.ROOM.idFromString(id.toString())), true);
  assert.equal(id.equals(env.ROOM.newUniqueId()), false);
  assert.equal(id.equals(env.COUNTER.idFromName(name)), false);
});

test("equals refuses what is not an id", ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.throws(() => id.equals(id.toString()), { class: "TypeError" });
});

test("idFromString keeps the id and knows no name", ({ env, name }) => {
  const id = env.ROOM.idFromString(env.ROOM.idFromName(name).toString());
  assert.equal(id.toString(), env.ROOM.idFromName(name).toString());
  assert.equal(id.name, undefined);
});

test("idFromString accepts upper-case digits", ({ env, name }) => {
  const hex = env.ROOM.idFromName(name).toString();
  assert.equal(env.ROOM.idFromString(hex.toUpperCase()).toString(), hex);
});

test("idFromString refuses what is not 64 hex digits", ({ env, name }) => {
  const refused = { class: "TypeError", message: "Invalid Durable Object ID: must be 64 hex digits" };
  const hex = env.ROOM.idFromName(name).toString();
  for (const bad of ["", "abc", hex.slice(1), `${hex}0`, `g${hex.slice(1)}`, ` ${hex.slice(1)}`]) {
    assert.throws(() => env.ROOM.idFromString(bad), refused, JSON.stringify(bad));
  }
});

test("idFromString refuses an id that this namespace did not make", ({ env, name }) => {
  const refused = { class: "TypeError", message: "Durable Object ID is not valid for this namespace." };
  assert.throws(() => env.ROOM.idFromString("0".repeat(64)), refused);
  assert.throws(() => env.ROOM.idFromString(env.COUNTER.idFromName(name).toString()), refused);
  const hex = env.ROOM.idFromName(name).toString();
  const last = hex.endsWith("0") ? "1" : "0";
  assert.throws(() => env.ROOM.idFromString(hex.slice(0, 63) + last), refused);
});

test("an id shows as DurableObjectId", ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.equal(Object.prototype.toString.call(id), "[object DurableObjectId]");
  assert.equal(id.constructor.name, "DurableObjectId");
  assert.equal(`${id}`, id.toString());
});

test("an id has no jurisdiction unless one was asked for", ({ env, name }) => {
  assert.equal(env.ROOM.idFromName(name).jurisdiction, undefined);
});

test("inside the object, ctx.id is the id and its name", async ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.deepEqual(await env.ROOM.get(id).about(), { id: id.toString(), name, nameIs: "string" });
  assert.deepEqual(await (await env.ROOM.get(id).fetch("http://object/")).json(), { id: id.toString(), name, nameIs: "string" });
});

test("inside an object reached by the empty name, ctx.id.name is empty", async ({ env }) => {
  assert.equal((await env.ROOM.getByName("").about()).name, "");
});

test("inside an object of a unique id, ctx.id.name is undefined", async ({ env }) => {
  const id = env.ROOM.newUniqueId();
  assert.deepEqual(await env.ROOM.get(id).about(), { id: id.toString(), name: undefined, nameIs: "undefined" });
});

test("inside an object reached by idFromString first, ctx.id.name is undefined", async ({ env, name }) => {
  const id = env.ROOM.idFromString(env.ROOM.idFromName(name).toString());
  assert.deepEqual(await env.ROOM.get(id).about(), { id: id.toString(), name: undefined, nameIs: "undefined" });
});

test("a name of 1024 bytes reaches ctx.id.name, a longer one does not", async ({ env, name }) => {
  const fits = name.padEnd(1024, "x").slice(0, 1024);
  assert.equal((await env.ROOM.getByName(fits).about()).name, fits);
  const long = `${fits}x`;
  const about = await env.ROOM.getByName(long).about();
  assert.equal(about.id, env.ROOM.idFromName(long).toString());
  assert.equal(about.name, undefined);
});

test("the length of a name counts in UTF-8 bytes", async ({ env, name }) => {
  const fits = `${name}${"é".repeat(300)}`;
  assert.equal((await env.ROOM.getByName(fits).about()).name, fits);
  const long = `${name}${"é".repeat(512)}`;
  assert.equal((await env.ROOM.getByName(long).about()).name, undefined);
});

test("ctx.id.equals works inside", async ({ env, name }) => {
  const id = env.ROOM.idFromName(name);
  assert.equal(await env.ROOM.get(id).compare(id.toString()), true);
  assert.equal(await env.ROOM.get(id).compare(env.ROOM.newUniqueId().toString()), false);
});

test("an id cannot be constructed", ({ env }) => {
  const Id = env.ROOM.newUniqueId().constructor;
  assert.throws(() => new Id(), { class: "TypeError", message: "Illegal constructor" });
});
