//! Module workers as people keep them: in TypeScript, and with a wrangler file.

use std::{fs, path::Path};

use super::process::{Running, run};

/// Writes files below a folder.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// What a server with these flags answers to GET `/`.
fn answer(storage: &Path, flags: &[&str]) -> serde_json::Value {
    let server = Running::start(storage, flags);
    let (status, body) = server.ask("GET", "/", "");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

const TYPES: &str = "export interface Env { ROOM: DurableObjectNamespace }
export type Id = string;
export enum Color { Red, Green = \"g\", Blue = 1 << 3 }
export const enum Flat { Five = 5, Six }
export namespace Deep { export const value = 42; }
";

const WORKER: &str = r#"import { DurableObject } from "cloudflare:workers";
import { Env, Id, Color, Flat, Deep } from "./types";
import type { Nothing } from "./there/is/no/such/file";
import { double } from "./util.js";
import settings from "./settings.json";

abstract class Base<T> extends DurableObject<Env> {
  protected abstract value: T;
  declare never: boolean;
  constructor(public readonly state: DurableObjectState, env: Env) {
    super(state, env);
  }
}

export class Room extends Base<number> {
  value = 3 as const;

  async say<T extends Id>(text: T, options?: { loud: boolean }): Promise<unknown> {
    const log: string[] = [];
    {
      await using end = { async [Symbol.asyncDispose]() { log.push("disposed"); } };
      log.push(options!.loud ? text.toUpperCase() : text);
    }
    const failed = (
      (): Error =>
        new Error("here")
    )();
    const line = Number(/:(\d+):/.exec(failed.stack!)![1]);
    return {
      log, line, never: "never" in this, state: this.state === this.ctx, value: double(this.value),
      colors: [Color.Red, Color.Green, Color.Blue, Color[8]], flat: Flat.Six, deep: Deep.value, settings,
    };
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return Response.json(await env.ROOM.getByName("a").say("hi", { loud: true }));
  },
} satisfies ExportedHandler<Env>;
"#;

#[test]
fn a_typescript_worker_runs_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("src/types.ts", TYPES),
            (
                "src/util.ts",
                "export function double(\n  n: number,\n): number {\n  return 2 * n;\n}\n",
            ),
            ("src/settings.json", "{\"a\": 1}"),
            ("src/index.ts", WORKER),
        ],
    );
    let bundle = folder.path().join("src/index.ts");
    let line = WORKER
        .lines()
        .position(|line| line.contains("new Error"))
        .unwrap()
        + 1;
    let told = answer(
        &folder.path().join("s"),
        &["--bundle", bundle.to_str().unwrap()],
    );
    assert_eq!(
        told,
        serde_json::json!({
            "log": ["HI", "disposed"], "line": line, "never": false, "state": true, "value": 6,
            "colors": [0, "g", 8, "Blue"], "flat": 6, "deep": 42, "settings": {"a": 1},
        })
    );
}

const WRANGLED: &str = r#"import { DurableObject, WorkerEntrypoint, env as own } from "cloudflare:workers";
import process from "node:process";

const early = [own.GREETING, process.env.LIMITS];

export class ChatRoom extends DurableObject {
  add(n) {
    const count = (this.ctx.storage.kv.get("count") ?? 0) + n;
    this.ctx.storage.kv.put("count", count);
    return [count, this.ctx.id.toString(), this.env.GREETING];
  }
}

export class Admin extends WorkerEntrypoint {
  greet(name) { return `${this.env.GREETING}, ${name}`; }
  mode() { return this.ctx.props.mode; }
}

const use = (work) => { try { return work(); } catch (error) { return error.message; } };

export default {
  async fetch(request, env) {
    return Response.json({
      early,
      room: await env.ROOM.getByName("a").add(2),
      again: (await env.SAME_ROOM.getByName("a").add(0))[0],
      admin: [await env.ADMIN.greet("Ann"), await env.ADMIN.mode()],
      limits: env.LIMITS,
      process: [process.env.GREETING, process.env.LIMITS, process.env.ROOM],
      cache: use(() => env.CACHE.get("key")),
      auth: use(() => env.AUTH.fetch("https://example.com")),
      keys: Object.keys(env).sort().join(),
    });
  },
};
"#;

const WRANGLER: &str = r#"
name = "chat"
main = "src/index.js"
compatibility_date = "2026-11-01"
kv_namespaces = [{ binding = "CACHE", id = "1" }]
services = [
  { binding = "ADMIN", service = "chat", entrypoint = "Admin", props = { mode = "full" } },
  { binding = "AUTH", service = "auth" },
]
durable_objects.bindings = [
  { name = "ROOM", class_name = "ChatRoom" },
  { name = "SAME_ROOM", class_name = "ChatRoom" },
]
migrations = [{ tag = "v1", new_sqlite_classes = ["ChatRoom"] }]
vars = { GREETING = "Hello", LIMITS = { most = 3 } }
"#;

/// The id of the object `a` for a unique key, as the Durable Objects documentation derives it.
fn id_of(storage: &Path, key: &str) -> String {
    let names = fs::read_dir(storage.join(key)).unwrap();
    let mut ids = names.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.strip_suffix(".sqlite")?;
        (id.len() == 64).then(|| id.to_owned())
    });
    let id = ids.next().unwrap();
    assert_eq!(ids.next(), None);
    id
}

#[test]
fn a_wrangler_file_is_all_that_a_project_needs() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("src/index.js", WRANGLED), ("wrangler.toml", WRANGLER)],
    );
    let storage = folder.path().join("s");
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let told = answer(&storage, &["--bundle", &file("wrangler.toml")]);
    let id = id_of(&storage, "chat-ChatRoom");
    assert_eq!(
        told,
        serde_json::json!({
            "early": ["Hello", "{\"most\":3}"],
            "room": [2, id, "Hello"],
            "again": 2,
            "admin": ["Hello, Ann", "full"],
            "limits": {"most": 3},
            "process": ["Hello", "{\"most\":3}", null],
            "cache": "env.CACHE.get is not there: kv_namespaces of the wrangler file is not implemented in Dolmen.",
            "auth": "env.AUTH.fetch is not there: services: the other worker `auth` of the wrangler file is not implemented in Dolmen.",
            "keys": "ADMIN,AUTH,CACHE,GREETING,LIMITS,ROOM,SAME_ROOM",
        })
    );

    // The same objects through the bundle's own path, with a variable of the command line.
    let flags = [
        "--bundle",
        &file("src/index.js"),
        "--manifest",
        &file("wrangler.toml"),
        "--var",
        "GREETING=Moin=Moin",
    ];
    let told = answer(&storage, &flags);
    assert_eq!(told["room"], serde_json::json!([4, id, "Moin=Moin"]));
}

#[test]
fn what_a_wrangler_file_asks_in_vain_is_logged_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("src/index.js", WRANGLED), ("wrangler.toml", WRANGLER)],
    );
    let file = folder.path().join("wrangler.toml");
    let mut server = Running::start(
        &folder.path().join("s"),
        &["--bundle", file.to_str().unwrap()],
    );
    let line = server.logs("kv_namespaces");
    assert!(
        line.contains("WARN") && line.contains("using env.CACHE throws an error"),
        "{line}"
    );
}

#[test]
fn a_wrangler_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("index.js", WRANGLED)]);
    for (name, content, parts) in [
        (
            "wrangler.toml",
            "name = \"a\"\nmain = ",
            &["wrangler.toml:2:8:"][..],
        ),
        ("wrangler.toml", "name = \"a\"", &["has no `main`"]),
        (
            "wrangler.jsonc",
            "{ \"main\": \"index.js\" }",
            &["wrangler.jsonc: it has no `name`"],
        ),
        (
            "wrangler.json",
            "{ \"name\": \"a\", \"main\": \"nowhere.js\" }",
            &["nowhere.js cannot be read"],
        ),
        (
            "wrangler.json",
            "{ \"name\": \"a\", \"main\": \"index.js\", \"durable_objects\": { \"bindings\": [{ \"name\": \"A\", \"class_name\": \"Room\" }] } }",
            &["binds A to the class `Room`", "it exports ChatRoom"],
        ),
        (
            "wrangler.json",
            "{ \"name\": \"a\", \"main\": \"index.js\", \"services\": [{ \"binding\": \"A\", \"service\": \"a\", \"entrypoint\": \"B\" }] }",
            &["A is bound to the entrypoint `B`", "Admin"],
        ),
    ] {
        write(folder.path(), &[(name, content)]);
        let file = folder.path().join(name);
        run(&["--bundle", file.to_str().unwrap()]).failed(3, parts);
    }
    let file = folder.path().join("wrangler.toml");
    run(&["--bundle", file.to_str().unwrap(), "--manifest", "m.yaml"]).failed(2, &["--manifest"]);
}

#[test]
fn variables_reach_a_common_js_bundle_too() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            (
                "b.js",
                "exports.objects = { Echo: class { constructor(state, env) { this.env = env; } vars() { return [this.env.A, this.env.B]; } } };",
            ),
            ("m.yaml", "vars: {A: from the manifest, B: {c: 1}}"),
        ],
    );
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let flags = ["--bundle", &file("b.js"), "--manifest", &file("m.yaml")];
    let server = Running::start(&folder.path().join("s"), &flags);
    assert_eq!(
        server.rpc("/rpc/ECHO/x/vars", "")["result"],
        serde_json::json!(["from the manifest", {"c": 1}])
    );
    drop(server);
    let flags = [&flags[..], &["--var", "A=", "--var", "B=text"]].concat();
    let server = Running::start(&folder.path().join("s"), &flags);
    assert_eq!(
        server.rpc("/rpc/ECHO/x/vars", "")["result"],
        serde_json::json!(["", "text"])
    );
    run(&["--bundle", &file("b.js"), "--var", "A"]).failed(2, &["--var", "NAME=VALUE"]);
    run(&["--bundle", &file("b.js"), "--var", "=A"]).failed(2, &["--var", "cannot name a member"]);
    run(&["--var", "A=1"]).failed(2, &["--var", "--bundle FILE"]);
    run(&["--bundle", &file("b.js"), "--var", "ECHO=1"]).failed(3, &["ECHO names a namespace"]);
}

#[test]
fn objects_are_reached_from_outside_only_when_a_flag_says_so() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[(
            "worker.mjs",
            r#"import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  hello() { return "from the object"; }
  fetch() { return new Response("from the object"); }
}
export default { fetch: (request) => new Response(`worker ${new URL(request.url).pathname}`) };
"#,
        )],
    );
    let bundle = folder.path().join("worker.mjs");
    let bundle = ["--bundle", bundle.to_str().unwrap()];
    let (rpc, fetch) = ("/rpc/ROOM/a/hello", "/fetch/ROOM/a/b");

    let closed = Running::start(&folder.path().join("closed"), &bundle);
    for (method, path) in [("POST", rpc), ("GET", fetch), ("GET", "/")] {
        assert_eq!(
            closed.ask(method, path, ""),
            (200, format!("worker {path}"))
        );
    }
    let flags = [&bundle[..], &["--gateway"]].concat();
    let open = Running::start(&folder.path().join("open"), &flags);
    let object = "from the object";
    let answer = format!("{{\"ok\":true,\"result\":\"{object}\"}}");
    assert_eq!(open.ask("POST", rpc, ""), (200, answer));
    assert_eq!(open.ask("GET", fetch, ""), (200, object.to_owned()));
    assert_eq!(open.ask("GET", "/", ""), (200, "worker /".to_owned()));
}
