// node:path.
import { format } from "node:util";
import path from "node:path";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("path", () => {
  assert.equal(path.join("/a", "..", "b", "./c"), "/b/c");
  assert.equal(path.resolve("/a", "b", "../c"), "/a/c");
  assert.equal(path.basename("/a/b.txt", ".txt"), "b");
  assert.equal(path.extname("x.tar.gz"), ".gz");
  assert.equal(path.dirname("/a/b/c"), "/a/b");
  assert.equal(path.relative("/a/b", "/a/c/d"), "../c/d");
  assert.equal(path.normalize("/a//b/../c/."), "/a/c");
  assert.equal(path.isAbsolute("a"), false);
  assert.deepEqual(path.parse("/home/x.txt"), { root: "/", dir: "/home", base: "x.txt", ext: ".txt", name: "x" });
  assert.equal(path.format({ dir: "/d", base: "f" }), "/d/f");
  assert.equal(path.sep, "/");
  assert.equal(path.posix, path);
});
