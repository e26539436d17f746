// Bookmarks: there is no point-in-time recovery, and the calls for it say so.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  bookmark() { return this.ctx.storage.getCurrentBookmark(); }
  put(value) { return this.ctx.storage.put("key", value); }
}

const REFUSED = { class: "Error", message: "This Durable Object's storage back-end does not implement point-in-time recovery." };

test("a bookmark is a text that grows with the writes", async ({ env, name }) => {
  const stub = env.BOX.getByName(name);
  const bookmarks = [];
  for (let i = 0; i < 3; i++) {
    await stub.put(i);
    bookmarks.push(await stub.bookmark());
  }
  for (const bookmark of bookmarks) assert.match(bookmark, /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/);
  assert.deepEqual([...bookmarks].sort(), bookmarks);
});

inside("a bookmark of a time is refused", async ({ storage }) => {
  await assert.rejects(storage.getBookmarkForTime(Date.now() - 1000), REFUSED);
});

inside("going back to a bookmark is refused, and harms nothing", async ({ storage }) => {
  await storage.put("key", "value");
  const bookmark = await storage.getCurrentBookmark();
  await assert.rejects(storage.onNextSessionRestoreBookmark(bookmark), REFUSED);
  assert.equal(await storage.get("key"), "value");
});
