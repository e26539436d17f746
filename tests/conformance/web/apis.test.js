// Web APIs beyond HTTP: URLs, encoding, compression, abort, cloning, events, scheduling.
import { DurableObject } from "cloudflare:workers";
import { test, inside, runInside, assert, sleep } from "../harness.js";
export { default } from "../harness.js";

export class Box extends DurableObject {
  run(name) { return runInside(this, name); }
  async nap(ms) { await scheduler.wait(ms); return "woken"; }
}

const text = new TextEncoder();
const hex = (view) => [...view].map((byte) => byte.toString(16).padStart(2, "0")).join("");

test("URL", () => {
  const url = new URL("../c?x=1#h", "https://user:pass@Example.com:8443/a/b/");
  assert.equal(url.href, "https://user:pass@example.com:8443/a/c?x=1#h");
  assert.deepEqual([url.protocol, url.host, url.hostname, url.port, url.pathname, url.search, url.hash, url.origin, url.username], ["https:", "example.com:8443", "example.com", "8443", "/a/c", "?x=1", "#h", "https://example.com:8443", "user"]);
  url.searchParams.append("y", "ä b");
  assert.equal(url.search, "?x=1&y=%C3%A4+b");
  url.pathname = "/ä";
  assert.equal(url.pathname, "/%C3%A4");
  assert.equal(new URL("http://x:80/").port, "");
  assert.equal(new URL("http://faß.example/").hostname, "xn--fa-hia.example");
  assert.equal(URL.canParse("nope"), false);
  assert.equal(URL.canParse("/a", "http://x"), true);
  assert.equal(URL.parse("nope"), null);
  assert.throws(() => new URL("nope"), { class: "TypeError" });
});

test("URLSearchParams", () => {
  const params = new URLSearchParams("b=2&a=1&a=3&c=%20+");
  assert.deepEqual(params.getAll("a"), ["1", "3"]);
  assert.equal(params.get("c"), "  ");
  params.sort();
  assert.equal(params.toString(), "a=1&a=3&b=2&c=++");
  params.delete("a", "3");
  params.set("b", "x&y");
  assert.equal(params.toString(), "a=1&b=x%26y&c=++");
  assert.equal(params.has("a", "1"), true);
  assert.equal(params.size, 3);
  assert.equal(new URLSearchParams({ k: "v" }).toString(), "k=v");
});

test("URLPattern", () => {
  const pattern = new URLPattern({ pathname: "/rooms/:id/:rest*" });
  assert.equal(pattern.test("http://x/rooms/5/a/b"), true);
  assert.equal(pattern.test("http://x/other"), false);
  const found = pattern.exec("http://x/rooms/5/a/b");
  assert.equal(found.pathname.groups.id, "5");
  assert.equal(found.pathname.groups.rest, "a/b");
  assert.equal(new URLPattern({ pathname: "/n/:n(\\d+)" }).test({ pathname: "/n/12" }), true);
  assert.equal(new URLPattern({ pathname: "/n/:n(\\d+)" }).test({ pathname: "/n/x" }), false);
  assert.equal(new URLPattern("/a/*", "http://x").exec("http://x/a/b/c").pathname.groups[0], "b/c");
});

test("TextEncoder and TextDecoder", () => {
  assert.equal(hex(text.encode("é😀")), "c3a9f09f9880");
  assert.deepEqual(text.encodeInto("é", new Uint8Array(1)), { read: 0, written: 0 });
  assert.equal(new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])), "a");
  assert.equal(new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])), "\uFEFFa");
  assert.equal(new TextDecoder().decode(new Uint8Array([0x61, 0xff])), "a\uFFFD");
  assert.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])), { class: "TypeError" });
  assert.equal(new TextDecoder("utf-16le").decode(new Uint8Array([0x61, 0x00])), "a");
  assert.equal(new TextDecoder("latin1").encoding, "windows-1252");
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(new Uint8Array([0xc3]), { stream: true }) + decoder.decode(new Uint8Array([0xa9])), "é");
});

test("TextEncoderStream and TextDecoderStream", async () => {
  const encoded = new ReadableStream({ start(c) { c.enqueue("hé"); c.enqueue("llo"); c.close(); } }).pipeThrough(new TextEncoderStream());
  let all = "";
  for await (const part of encoded.pipeThrough(new TextDecoderStream())) all += part;
  assert.equal(all, "héllo");
});

test("atob and btoa", () => {
  assert.equal(btoa("hi\xff"), "aGn/");
  assert.equal(atob("aGn/"), "hi\xff");
  assert.throws(() => btoa("😀"), { name: "InvalidCharacterError" });
  assert.throws(() => atob("a"), { name: "InvalidCharacterError" });
});

for (const format of ["gzip", "deflate", "deflate-raw"]) {
  test(`CompressionStream ${format}`, async () => {
    const source = "compress me ".repeat(1000);
    const packed = await new Response(new Response(source).body.pipeThrough(new CompressionStream(format))).bytes();
    assert.ok(packed.length < source.length / 10, `${packed.length} bytes`);
    assert.equal(await new Response(new Response(packed).body.pipeThrough(new DecompressionStream(format))).text(), source);
  });
}

test("DecompressionStream refuses what is not compressed", async () => {
  await assert.rejects(async () => new Response(new Response("not gzip at all").body.pipeThrough(new DecompressionStream("gzip"))).text(), { class: "TypeError" });
});

test("scheduler.wait", async ({ env, name }) => {
  assert.equal(await scheduler.wait(1), undefined);
  assert.equal(await env.BOX.getByName(name).nap(5), "woken");
  const controller = new AbortController();
  const waiting = scheduler.wait(5000, { signal: controller.signal });
  controller.abort(new Error("no longer"));
  await assert.rejects(waiting, { message: "no longer" });
});

test("AbortController", () => {
  const controller = new AbortController();
  let events = 0;
  controller.signal.addEventListener("abort", () => { events += 1; });
  controller.signal.onabort = () => { events += 1; };
  assert.equal(controller.signal.aborted, false);
  controller.abort();
  controller.abort();
  assert.equal(controller.signal.aborted, true);
  assert.equal(events, 2);
  assert.equal(controller.signal.reason.name, "AbortError");
  assert.throws(() => controller.signal.throwIfAborted(), { name: "AbortError" });
  assert.equal(AbortSignal.abort("why").reason, "why");
});

test("AbortSignal.timeout and any", async () => {
  const signal = AbortSignal.timeout(5);
  await new Promise((done) => signal.addEventListener("abort", done));
  assert.equal(signal.reason.name, "TimeoutError");
  const controller = new AbortController();
  const any = AbortSignal.any([controller.signal, AbortSignal.timeout(10_000)]);
  assert.equal(any.aborted, false);
  controller.abort("first");
  assert.equal(any.aborted, true);
  assert.equal(any.reason, "first");
  assert.equal(AbortSignal.any([AbortSignal.abort("already")]).reason, "already");
});

test("structuredClone", () => {
  const value = { map: new Map([[1, new Date(5)]]), set: new Set(["a"]), big: 1n, bytes: new Uint8Array([1, 2]), error: new RangeError("x"), nested: [undefined, null] };
  value.self = value;
  const copy = structuredClone(value);
  assert.notEqual(copy, value);
  assert.equal(copy.self, copy);
  assert.deepEqual(copy.map, value.map);
  assert.equal(copy.error instanceof RangeError, true);
  assert.deepEqual(copy.bytes, value.bytes);
  const buffer = new ArrayBuffer(4);
  const moved = structuredClone(buffer, { transfer: [buffer] });
  assert.equal(buffer.byteLength, 0);
  assert.equal(moved.byteLength, 4);
  assert.throws(() => structuredClone(() => 1), { name: "DataCloneError", message: "() => 1 could not be cloned." });
});

test("Event, EventTarget and CustomEvent", () => {
  const target = new EventTarget();
  const seen = [];
  const listener = (event) => seen.push(event.type);
  target.addEventListener("a", listener);
  target.addEventListener("a", listener);
  target.addEventListener("a", { handleEvent: () => seen.push("object") }, { once: true });
  assert.equal(target.dispatchEvent(new Event("a")), true);
  target.dispatchEvent(new Event("a"));
  assert.deepEqual(seen, ["a", "object", "a"]);
  target.removeEventListener("a", listener);
  target.addEventListener("c", (event) => { event.preventDefault(); seen.push(event.detail); });
  assert.equal(target.dispatchEvent(new CustomEvent("c", { detail: 7, cancelable: true })), false);
  assert.equal(seen.at(-1), 7);
});

test("DOMException", () => {
  const error = new DOMException("message", "AbortError");
  assert.equal(error instanceof Error, true);
  assert.equal(error.name, "AbortError");
  assert.equal(error.code, 20);
  assert.equal(DOMException.DATA_CLONE_ERR, 25);
});

test("Blob, File and FormData", async () => {
  const blob = new Blob(["ab", text.encode("cd"), new Blob(["ef"])], { type: "TEXT/Plain" });
  assert.equal(blob.size, 6);
  assert.equal(blob.type, "text/plain");
  assert.equal(await blob.slice(1, 3).text(), "bc");
  assert.equal(await new Response(blob.stream()).text(), "abcdef");
  const file = new File(["x"], "f.txt", { lastModified: 5 });
  assert.deepEqual([file.name, file.lastModified, file.size, file instanceof Blob], ["f.txt", 5, 1, true]);
  const form = new FormData();
  form.append("a", "1");
  form.append("a", "2");
  form.set("b", "3");
  assert.deepEqual([...form], [["a", "1"], ["a", "2"], ["b", "3"]]);
  form.delete("a");
  assert.equal(form.get("a"), null);
});

test("console prints in every way, and gives nothing", () => {
  const printers = ["log", "info", "debug", "warn", "error", "trace", "dir", "dirxml", "table", "group", "groupCollapsed", "groupEnd", "assert", "count", "countReset", "time", "timeLog", "timeEnd", "clear"];
  for (const name of printers) assert.equal(console[name]("a line of a test"), undefined, name);
});

test("performance and Date", async () => {
  assert.equal(typeof performance.now(), "number");
  assert.equal(typeof performance.timeOrigin, "number");
  const before = Date.now();
  await sleep(20);
  assert.ok(Date.now() - before >= 15, `${Date.now() - before} ms`);
});

test("performance: marks and measures", () => {
  performance.clearMarks();
  performance.clearMeasures();
  const mark = performance.mark("a", { startTime: 5, detail: { x: 1 } });
  assert.deepEqual([mark.name, mark.entryType, mark.startTime, mark.duration, mark.detail.x], ["a", "mark", 5, 0, 1]);
  performance.mark("b", { startTime: 12 });
  const measure = performance.measure("m", "a", "b");
  assert.deepEqual([measure.name, measure.entryType, measure.startTime, measure.duration], ["m", "measure", 5, 7]);
  assert.equal(performance.measure("n", { start: 1, end: 4 }).duration, 3);
  assert.deepEqual(performance.getEntriesByType("mark").map(({ name }) => name), ["a", "b"]);
  assert.equal(performance.getEntriesByName("m")[0].duration, 7);
  assert.deepEqual(performance.getEntries().map(({ name }) => name).sort(), ["a", "b", "m", "n"]);
  performance.clearMarks("a");
  performance.clearMeasures();
  assert.deepEqual(performance.getEntries().map(({ name }) => name), ["b"]);
});

test("performance: a measure needs the marks that it names", () => {
  assert.throws(() => performance.measure("m", "no such mark"), { name: "SyntaxError" });
});

test("Response.redirect and Headers.getSetCookie", () => {
  const { status, headers } = Response.redirect("http://x/y", 307);
  assert.deepEqual([status, headers.get("location")], [307, "http://x/y"]);
  assert.throws(() => Response.redirect("http://x", 200), { class: "RangeError", message: "200 is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308." });
  const cookies = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
  assert.deepEqual(cookies.getSetCookie(), ["a=1", "b=2"]);
  assert.deepEqual([...cookies], [["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
});

test("EventTarget: once and signal", () => {
  const target = new EventTarget();
  const controller = new AbortController();
  let count = 0;
  target.addEventListener("e", () => { count += 1; }, { signal: controller.signal });
  target.addEventListener("e", () => { count += 10; }, { once: true });
  target.dispatchEvent(new Event("e"));
  controller.abort();
  target.dispatchEvent(new Event("e"));
  target.addEventListener("e", () => { count += 100; }, { signal: controller.signal });
  target.dispatchEvent(new Event("e"));
  assert.equal(count, 11);
});

const globals = {
  "HTTP and URLs": ["fetch", "Request", "Response", "Headers", "FormData", "URL", "URLSearchParams", "URLPattern", "Blob", "File"],
  streams: ["ReadableStream", "WritableStream", "TransformStream", "CompressionStream", "DecompressionStream", "TextEncoderStream", "TextDecoderStream", "IdentityTransformStream", "FixedLengthStream", "ByteLengthQueuingStrategy", "CountQueuingStrategy"],
  WebSockets: ["WebSocket", "WebSocketPair", "WebSocketRequestResponsePair"],
  cryptography: ["crypto", "CryptoKey", "SubtleCrypto"],
  "text and clones": ["TextEncoder", "TextDecoder", "atob", "btoa", "structuredClone"],
  time: ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "queueMicrotask", "scheduler", "performance"],
  events: ["AbortController", "AbortSignal", "Event", "EventTarget", "CustomEvent", "MessageChannel", "DOMException", "reportError"],
  Node: ["Buffer", "process", "global", "setImmediate", "clearImmediate"],
  "console and navigator": ["console", "navigator"],
  "of Cloudflare": ["HTMLRewriter", "caches"],
  WebAssembly: ["WebAssembly"],
};

for (const [what, names] of Object.entries(globals)) {
  test(`globals: ${what}`, () => {
    for (const name of names) assert.notEqual(typeof globalThis[name], "undefined", name);
  });
}

test("globals: self, window, user agent", () => {
  assert.equal(globalThis.self, globalThis);
  assert.equal(navigator.userAgent, "Cloudflare-Workers");
  assert.equal(typeof globalThis.window, "undefined");
});

test("eval and new Function are refused while a request runs", () => {
  assert.throws(() => (0, eval)("1 + 1"), { class: "EvalError", message: "Code generation from strings disallowed for this context" });
  assert.throws(() => new Function("return 1"), { class: "EvalError", message: "Code generation from strings disallowed for this context" });
});

test("JavaScript of today", () => {
  assert.deepEqual(Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")), Object.assign(Object.create(null), { odd: [1, 3], even: [2] }));
  assert.deepEqual([3, 1, 2].toSorted(), [1, 2, 3]);
  assert.equal([1, 2, 3].findLast((n) => n < 3), 2);
  assert.equal("x".isWellFormed(), true);
  assert.deepEqual([...new Set([1, 2]).union(new Set([3]))], [1, 2, 3]);
  assert.equal(typeof Promise.withResolvers().resolve, "function");
  assert.deepEqual([1, 2].values().map((n) => n * 2).toArray(), [2, 4]);
  assert.match("2026", /(?<year>\d{4})/v);
  assert.equal("aXbX".replaceAll("X", "-"), "a-b-");
  assert.equal([1, [2, [3]]].flat(Infinity).length, 3);
});

test("Intl", () => {
  assert.equal(new Intl.NumberFormat("en-US").format(1234567.5), "1,234,567.5");
  assert.equal((1234.5).toLocaleString("en-US"), "1,234.5");
  assert.equal(new Intl.DateTimeFormat("en-US", { timeZone: "UTC", dateStyle: "long" }).format(new Date(0)), "January 1, 1970");
});

inside("WeakRef, timers and clones work inside an object", async () => {
  const target = { a: 1 };
  assert.equal(new WeakRef(target).deref(), target);
  assert.deepEqual(structuredClone(new Map([[1, 2]])), new Map([[1, 2]]));
  const order = [];
  setTimeout(() => order.push(2), 4);
  setTimeout(() => order.push(1), 2);
  await sleep(20);
  assert.deepEqual(order, [1, 2]);
});

test("unhandled rejections do not end the worker", async () => {
  Promise.reject(new Error("nobody listens"));
  await sleep(2);
  assert.ok(true);
});
