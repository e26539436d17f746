// What the Go example `nethttp` answers: net/http and os as programs use them, in the worker and in objects.

import { answers, compare, equal, flow } from "./expect.mjs";
import { ask, withOrigin } from "./server.mjs";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_TYPE = { "content-type": "application/json" };

/// Below `base`, of the worker or of an object.
function everywhere(base) {
  return [
    answers(`GET ${base}/`, { headers: { host: "example.test" } }, { text: "root of example.test" }),
    answers(`GET ${base}/no/such`, {}, { status: 404 }),
    answers(`GET ${base}/below/any/path`, {}, { text: "below: /below/any/path" }),
    answers(`GET ${base}/class?name=you`, {}, { text: "Hello, you" }),
    answers(`GET ${base}/api/v1/users`, {}, { text: "stripped: /users" }),
    answers(`GET ${base}/api/v1/users/7?x=1`, {}, { text: "stripped: /users/7" }),
    ...forms(base),
    ...cookies(base),
    ...compat(base),
    ...fetches(base),
    ...onFiles(base, "tmp"),
    flow(`${base}/site serves files of /tmp`, async (server) => {
      equal((await ask(server, `POST ${base}/site`)).status, 200, "made");
      compare(await ask(server, `GET ${base}/page`), { type: "text/html", text: "<h1>page</h1>", headers: { "content-length": "13" } });
      compare(await ask(server, `HEAD ${base}/site/page.html`), { type: "text/html", text: "", headers: { "content-length": "13" } });
      compare(await ask(server, `GET ${base}/site/page.html`), { type: "text/html", text: "<h1>page</h1>" });
      compare(await ask(server, `GET ${base}/site/style.css`), { type: "text/css", text: "p{}" });
      compare(await ask(server, `GET ${base}/site/none`), { status: 404 });
    }),
  ];
}

function forms(base) {
  const boundary = "a-boundary";
  const part = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\ncontent\r\n--${boundary}--\r\n`;
  return [
    answers(`GET ${base}/form?q=a+b%20c%26`, {}, { text: "a b c&" }),
    answers(`GET ${base}/form`, {}, { text: "" }),
    answers(`POST ${base}/both?query=asked`, { headers: FORM, body: "posted=p%2Bq" }, { text: "asked p+q" }),
    answers(`POST ${base}/post-form?q=no`, { headers: FORM, body: "q=yes" }, { text: "yes" }),
    answers(`POST ${base}/upload`, { headers: { "content-type": `multipart/form-data; boundary=${boundary}` }, body: part }, { text: "a.txt: content" }),
  ];
}

function cookies(base) {
  return [
    answers(`GET ${base}/set-cookies`, {}, { cookies: ["session=abc; Path=/; HttpOnly; Secure; SameSite=Strict", "theme=dark; Max-Age=3600"] }),
    answers(`GET ${base}/cookie`, { headers: { cookie: "x=1; session=abc" } }, { text: "abc" }),
    answers(`GET ${base}/cookie`, {}, { status: 400 }),
  ];
}

function compat(base) {
  const cors = { "access-control-allow-origin": "*", "access-control-allow-methods": "GET, POST" };
  const reflected = (method, body, more) => JSON.stringify({
    agent: "check", body, custom: "yes", host: "h", length: body.length, method, path: "/reflect", query: "a=%20b", type: "", ...more,
  });
  const asked = { headers: { host: "h", "user-agent": "check", "x-custom": "yes" } };
  return [
    answers(`GET ${base}/cors`, {}, { text: "behind cors", headers: cors }),
    answers(`OPTIONS ${base}/cors`, {}, { status: 204, text: "", headers: cors }),
    answers(`GET ${base}/negotiate`, { headers: { accept: "application/json" } }, { type: "application/json", json: { as: "json" } }),
    answers(`GET ${base}/negotiate`, { headers: { accept: "text/html,*/*" } }, { type: "text/html", text: "<p>html</p>" }),
    answers(`GET ${base}/negotiate`, {}, { type: "text/plain", text: "text" }),
    answers(`GET ${base}/reflect?a=%20b`, asked, { text: `${reflected("GET", "")}\n` }),
    answers(`POST ${base}/reflect?a=%20b`, { headers: { ...asked.headers, "content-type": "x/y" }, body: "text" }, { text: `${reflected("POST", "text", { type: "x/y" })}\n` }),
    answers(`POST ${base}/limited`, { body: "x".repeat(1_024) }, { text: "1024 bytes" }),
    answers(`POST ${base}/limited`, { body: "x".repeat(1_025) }, { status: 413 }),
    answers(`GET ${base}/writes`, {}, { text: "0;1;2;3;4;" }),
    ...[32, 128, 512].map((kb) => answers(`GET ${base}/large?kb=${kb}`, {}, { text: largeText(kb) })),
    answers(`GET ${base}/large`, {}, { type: "application/octet-stream", text: largeText(100) }),
    answers(`GET ${base}/events`, {}, {
      type: "text/event-stream", text: [0, 1, 2].map((n) => `id: ${n}\ndata: event ${n}\n\n`).join(""), headers: { "cache-control": "no-cache" },
    }),
    flow(`${base}/notes is a REST interface`, async (server) => {
      const post = (body) => ask(server, `POST ${base}/notes`, { headers: JSON_TYPE, body });
      compare(await post('{"text":""}'), { status: 422 });
      compare(await post("{"), { status: 400 });
      const made = await post('{"text":"first"}');
      compare(made, { status: 201, type: "application/json" });
      const { id } = JSON.parse(made.text);
      if (base) {
        compare(await ask(server, `DELETE ${base}/notes/${id}`), { status: 204, text: "" });
        compare(await ask(server, `DELETE ${base}/notes/${id}`), { status: 404 });
      }
      compare(await ask(server, `PATCH ${base}/notes`), { status: 405 });
    }),
    flow(`${base}/panic ends the instance and not the handler`, async (server) => {
      const { status, type, text } = await ask(server, `GET ${base}/panic`);
      equal([status, type, text.startsWith("panic: ")], [500, undefined, true], "status and beginning");
      await server.logs("panic: on purpose");
      compare(await ask(server, `GET ${base}/writes`), { text: "0;1;2;3;4;" });
    }),
  ];
}

function largeText(kilobytes) {
  return Array.from({ length: kilobytes }, (_, number) => String.fromCharCode(97 + (number % 26)).repeat(1_024)).join("");
}

function fetches(base) {
  const url = (...parts) => parts.map((part) => encodeURIComponent(part));
  return [
    flow(`GET ${base}/get, /twice, /head, /post and /do-request ask others`, (server) => withOrigin(async (origin) => {
      const [first, second, missing, request] = url(`${origin}/first`, `${origin}/second`, `${origin}/status/404`, `${origin}/request`);
      compare(await ask(server, `GET ${base}/get?url=${first}`), { text: "200 first" });
      compare(await ask(server, `GET ${base}/get?url=${missing}`), { text: "404 status" });
      compare(await ask(server, `GET ${base}/twice?url=${first}&second=${second}`), { text: "200 first\n200 second" });
      compare(await ask(server, `GET ${base}/twice?url=${first}&second=${first}`), { text: "200 first\n200 first" });
      compare(await ask(server, `GET ${base}/twice?url=${first}&second=${missing}`), { text: "200 first\n404 status" });
      compare(await ask(server, `GET ${base}/head?url=${first}`), { text: "200 here" });
      compare(await ask(server, `GET ${base}/post?url=${request}`), { text: "200 POST undefined posted" });
      compare(await ask(server, `GET ${base}/do-request?url=${request}`), { text: "200 PUT by a client put" });
    })),
    flow(`GET ${base}/get of nobody is an error of the client`, async (server) => {
      const { status, text } = await ask(server, `GET ${base}/get?url=${encodeURIComponent("http://127.0.0.1:1/")}`);
      equal([status, text.includes("127.0.0.1:1")], [200, true], text);
    }),
  ];
}

/// What os does with files in `/tmp` or `/data`.
function onFiles(base, root) {
  const at = `${root}/folder/in/it`;
  return [
    flow(`files below ${base}/file/${root}`, async (server) => {
      compare(await ask(server, `GET ${base}/file/${root}/none`), { status: 404 });
      compare(await ask(server, `PUT ${base}/file/${at}/a.txt`, { body: "some text" }), {});
      compare(await ask(server, `GET ${base}/file/${at}/a.txt`), { text: "some text" });
      compare(await ask(server, `POST ${base}/append/${at}/a.txt`, { body: ", and more" }), {});
      compare(await ask(server, `GET ${base}/file/${at}/a.txt`), { text: "some text, and more" });
      compare(await ask(server, `GET ${base}/stat/${at}/a.txt`), { text: "a.txt 19 false" });
      compare(await ask(server, `GET ${base}/stat/${root}/folder`), { text: "folder 0 true" });
      compare(await ask(server, `PUT ${base}/file/${root}/folder/b.txt`, { body: "b" }), {});
      compare(await ask(server, `GET ${base}/list/${root}/folder`), { text: "b.txt in/" });
      compare(await ask(server, `POST ${base}/rename/${root}/folder/b.txt?to=/${at}/c.txt`), {});
      compare(await ask(server, `GET ${base}/list/${at}`), { text: "a.txt c.txt" });
      compare(await ask(server, `GET ${base}/file/${at}/c.txt`), { text: "b" });
      equal((await ask(server, `DELETE ${base}/file/${root}/folder`)).status, 500, "not empty");
      for (const path of [`${at}/a.txt`, `${at}/c.txt`, at, `${root}/folder/in`]) compare(await ask(server, `DELETE ${base}/file/${path}`), {});
      compare(await ask(server, `GET ${base}/stat/${at}`), { status: 404 });
      const large = Buffer.alloc(300_000, "0123456789abcdef");
      compare(await ask(server, `PUT ${base}/file/${root}/large`, { body: large }), {});
      equal((await ask(server, `GET ${base}/file/${root}/large`)).bytes.equals(large), true, "300,000 bytes");
      compare(await ask(server, `DELETE ${base}/file/${root}/large`), {});
    }),
  ];
}

const kept = flow("an object keeps its instance, and its files in /data apart from those of others", async (server) => {
  compare(await ask(server, "POST /do/keeper/notes", { headers: JSON_TYPE, body: '{"text":"kept"}' }), { status: 201 });
  compare(await ask(server, "GET /do/keeper/notes"), { json: 1 });
  compare(await ask(server, "PUT /do/keeper/file/data/mine", { body: "mine" }), {});
  compare(await ask(server, "GET /do/keeper/file/data/mine"), { text: "mine" });
  compare(await ask(server, "GET /do/other/file/data/mine"), { status: 404 });
});

export const nethttp = [...everywhere(""), ...everywhere("/do/there"), ...onFiles("/do/there", "data"), kept];
