//! The storage of module workers, where it meets the runtime: turns, commits, resets, neighbours. What user code sees of
//! it is asserted in `tests/conformance/{kv,synckv,sql,transactions}`.

use std::time::{Duration, Instant};

use dolmen_runtime::ErrorKind;
use serde_json::json;

use super::world::{World, in_world};

const SOURCE: &str = r#"
import { DurableObject } from "cloudflare:workers";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";

export class Box extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.storage = ctx.storage;
    this.sql = ctx.storage.sql;
    this.lives = crypto.randomUUID();
  }
  life() { return this.lives; }
  exec(query, ...values) { return this.sql.exec(query, ...values).raw().toArray(); }
  endless() { return this.exec(ENDLESS); }
  scan(rows) { return this.exec(`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${rows}) SELECT count(*) FROM c`); }
  async scanLater(rows) {
    let result;
    setTimeout(() => { result = this.scan(rows); }, 1);
    while (result === undefined) await wait(5);
    return result;
  }
  violate() {
    this.sql.exec("INSERT INTO c VALUES (7)");
    return "not seen";
  }
  async transfer(outcome) {
    const before = this.sql.exec("INSERT INTO t VALUES ('before')").rowsWritten;
    try {
      await this.storage.transaction(async (txn) => {
        this.sql.exec("INSERT INTO t VALUES ('inside')");
        await txn.put("k", "inside");
        await txn.setAlarm(Date.now() + 3_600_000);
        await wait(20);
        this.sql.exec("INSERT INTO t VALUES ('later')");
        await this.storage.sync();
        if (outcome === "abort") this.ctx.abort("enough");
        if (outcome === "throw") throw new Error("undo");
      });
    } catch (error) {
      return error.message;
    }
    return before;
  }
  async state() {
    return [this.exec("SELECT * FROM t").flat(), await this.storage.get("k") ?? null, await this.storage.getAlarm() !== null];
  }
  async stream(rows) {
    let read = 0;
    for (const row of this.sql.exec("SELECT a FROM big")) {
      read += 1;
      if (read % 50 === 0) {
        this.storage.kv.put("progress", read);
        await wait(1);
      }
    }
    return read;
  }
  alarm() {}
}
export default {};
"#;

async fn box_with(world: &World, name: &str, schema: &str) -> String {
    let object = format!("BOX/{name}");
    world
        .ok(&object, "exec", &json!([schema]).to_string())
        .await;
    object
}

#[test]
fn a_deferred_constraint_that_is_violated_resets_the_object_and_tells_the_caller() {
    in_world(SOURCE, async |world| {
        let object = box_with(
            world,
            "a",
            "CREATE TABLE p (a PRIMARY KEY); CREATE TABLE c (a REFERENCES p (a) DEFERRABLE INITIALLY DEFERRED)",
        )
        .await;
        let life = world.ok(&object, "life", "[]").await;
        let (kind, message) = world.err(&object, "violate", "[]").await;
        assert_eq!(kind, ErrorKind::Reset);
        assert_eq!(
            message,
            "Durable Object was reset and rolled back to its last known good state because the application left the \
             database in a state where constraints were violated: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT \
             (extended: SQLITE_CONSTRAINT_FOREIGNKEY)"
        );
        let count = world
            .ok(&object, "exec", r#"["SELECT count(*) FROM c"]"#)
            .await;
        assert_eq!(count, json!([[0]]));
        assert_ne!(world.ok(&object, "life", "[]").await, life);
    });
}

#[test]
fn a_long_query_lets_the_neighbours_run() {
    let mut options = super::world::options();
    options.shards = 1;
    options.cpu_timeout = Duration::from_secs(2);
    let clock = dolmen_runtime::Clock::system();
    super::world::in_world_with(SOURCE, options, clock, async |world| {
        world.ok("BOX/b", "life", "[]").await;
        let handle = world.handle.clone();
        let endless =
            tokio::spawn(
                async move { super::world::call(&handle, "BOX/a", "endless", "[]").await },
            );
        tokio::time::sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        for _ in 0..10 {
            world.ok("BOX/b", "exec", r#"["SELECT 1"]"#).await;
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(!endless.is_finished());
        let error = endless.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(
            world.ok("BOX/a", "exec", r#"["SELECT 1"]"#).await,
            json!([[1]])
        );
    });
}

#[test]
fn a_query_in_a_timer_is_left_alone_by_those_who_need_its_file_handle() {
    let mut options = super::world::options();
    options.shards = 1;
    options.max_open_databases = 1;
    let clock = dolmen_runtime::Clock::system();
    super::world::in_world_with(SOURCE, options, clock, async |world| {
        box_with(world, "a", "CREATE TABLE t (a)").await;
        let handle = world.handle.clone();
        let scan = tokio::spawn(async move {
            super::world::call(&handle, "BOX/a", "scanLater", "[3000000]").await
        });
        for round in 0..20 {
            box_with(world, &format!("b{round}"), "CREATE TABLE t (a)").await;
        }
        assert_eq!(scan.await.unwrap().unwrap(), json!([[3_000_000]]));
    });
}

#[test]
fn a_transaction_goes_on_over_turns_and_is_kept_or_undone_whole() {
    in_world(SOURCE, async |world| {
        for (outcome, result, rows, kept) in [
            ("keep", json!(1), json!(["before", "inside", "later"]), true),
            ("throw", json!("undo"), json!(["before"]), false),
        ] {
            let object = box_with(world, outcome, "CREATE TABLE t (a)").await;
            let args = json!([outcome]).to_string();
            assert_eq!(world.ok(&object, "transfer", &args).await, result);
            let value = if kept { json!("inside") } else { json!(null) };
            let state = json!([rows, value, kept]);
            assert_eq!(world.ok(&object, "state", "[]").await, state);
            world.restart().await;
            assert_eq!(world.ok(&object, "state", "[]").await, state);
        }
        let object = box_with(world, "abort", "CREATE TABLE t (a)").await;
        world.err(&object, "transfer", r#"["abort"]"#).await;
        let state = json!([["before"], null, false]);
        assert_eq!(world.ok(&object, "state", "[]").await, state);
    });
}

#[test]
fn a_cursor_streams_over_turns_that_commit() {
    in_world(SOURCE, async |world| {
        let object = box_with(
            world,
            "a",
            "CREATE TABLE big (a); INSERT INTO big WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT x FROM c",
        )
        .await;
        assert_eq!(world.ok(&object, "stream", "[]").await, json!(1000));
    });
}
