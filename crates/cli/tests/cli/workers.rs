//! Module workers as people keep them: in TypeScript, and with a wrangler file.

use std::{fs, path::Path};

use super::process::Running;

/// Writes files below a folder.
pub fn write(folder: &Path, files: &[(&str, &str)]) {
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
