// Jurisdictions: ids and namespaces that are bound to a place.
import { DurableObject } from "cloudflare:workers";
import { test, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  who() { return this.ctx.id.toString(); }
}

test("without a jurisdiction the namespace is the whole one", ({ env, name }) => {
  for (const none of [undefined, null]) {
    const view = env.BOX.jurisdiction(none);
    assert.equal(view.idFromName(name).toString(), env.BOX.idFromName(name).toString());
    assert.equal(view.newUniqueId().jurisdiction, undefined);
    assert.equal(env.BOX.newUniqueId({ jurisdiction: none }).jurisdiction, undefined);
  }
  assert.equal(env.BOX.idFromName(name).jurisdiction, undefined);
});

test("an unknown jurisdiction is refused", ({ env }) => {
  assert.throws(() => env.BOX.jurisdiction("mars"));
  assert.throws(() => env.BOX.newUniqueId({ jurisdiction: "mars" }));
});

test("ids carry the jurisdiction that they were made in", ({ env, name }) => {
  for (const place of ["eu", "us", "fedramp", "fedramp-high"]) {
    const view = env.BOX.jurisdiction(place);
    assert.equal(view.newUniqueId().jurisdiction, place);
    assert.equal(env.BOX.newUniqueId({ jurisdiction: place }).jurisdiction, place);
    assert.equal(view.idFromName(name).jurisdiction, place);
    assert.equal(view.idFromName(name).name, name);
    assert.equal(view.getByName(name).id.jurisdiction, place);
  }
});

test("the same name in another jurisdiction is another object", async ({ env, name }) => {
  const ids = [env.BOX, env.BOX.jurisdiction("eu"), env.BOX.jurisdiction("us")].map((view) => view.idFromName(name).toString());
  assert.equal(new Set(ids).size, 3);
  assert.equal(env.BOX.jurisdiction("eu").idFromName(name).toString(), ids[1]);
  const eu = env.BOX.jurisdiction("eu");
  assert.equal(await eu.getByName(name).who(), ids[1]);
  assert.equal(await env.BOX.getByName(name).who(), ids[0]);
});

test("a namespace of a jurisdiction takes ids of it only", async ({ env, name }) => {
  const eu = env.BOX.jurisdiction("eu");
  const message = "get called on jurisdictional subnamespace with an ID from a different jurisdiction";
  for (const id of [env.BOX.idFromName(name), env.BOX.newUniqueId(), env.BOX.jurisdiction("us").idFromName(name), env.BOX.newUniqueId({ jurisdiction: "us" })]) {
    assert.throws(() => eu.get(id), { class: "TypeError", message });
  }
  const id = eu.newUniqueId();
  assert.equal(await eu.get(id).who(), id.toString());
  assert.equal(await env.BOX.get(id).who(), id.toString());
});

test("an id that is read from text has the jurisdiction again", ({ env, name }) => {
  const eu = env.BOX.jurisdiction("eu");
  const id = eu.idFromName(name);
  assert.equal(eu.idFromString(id.toString()).equals(id), true);
  assert.equal(eu.idFromString(id.toString()).jurisdiction, "eu");
});
