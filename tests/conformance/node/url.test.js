// node:url and node:querystring.
import { URL as NodeUrl, URLSearchParams as NodeParams, fileURLToPath, pathToFileURL } from "node:url";
import querystring from "node:querystring";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

test("url: the global classes, and files", () => {
  assert.equal(NodeUrl, URL);
  assert.equal(NodeParams, URLSearchParams);
  assert.equal(fileURLToPath("file:///a/b"), "/a/b");
  assert.equal(pathToFileURL("/a b").href, "file:///a%20b");
});

test("querystring", () => {
  assert.equal(querystring.stringify({ a: ["1", "2"], b: "x y" }), "a=1&a=2&b=x%20y");
  assert.equal(querystring.parse("a=1&b=2").b, "2");
  assert.deepEqual(querystring.parse("a=1&a=2").a, ["1", "2"]);
  assert.equal(querystring.escape("a b"), "a%20b");
});
