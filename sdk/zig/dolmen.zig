//! Dolmen's SDK for WASM handlers in Zig: what a handler imports as `dolmen`.
//!
//! The root file calls `dolmen.serve(@This())` at compile time and declares what it has of `routes`, `fallback`,
//! `alarm`, `socketOpen`, `socketMessage`, `socketClose` and `fanout`. Texts of a request and of the host live until the
//! event ends. A call of the host that is not used is not imported.

const abi = @import("dolmen/abi.zig");
const memory = @import("dolmen/memory.zig");
const serving = @import("dolmen/serve.zig");

/// Makes the exports of a handler from what the file `App` declares.
pub const serve = serving.serve;
pub const Route = serving.Route;
pub const Handler = serving.Handler;
pub const Request = @import("dolmen/request.zig").Request;
pub const Fields = @import("dolmen/request.zig").Fields;
pub const Response = @import("dolmen/response.zig").Response;
/// A number that JSON has as a plain one: 36 and not 3.6e1. Infinities and NaN are null.
pub const Number = @import("dolmen/response.zig").Number;

/// Memory of this event, given back when it ends. What must stay is of `std.heap.wasm_allocator`.
pub const arena = memory.arena;
/// `pub const panic = dolmen.panic;` in the root file puts the reason of a panic into the log.
pub const panic = memory.panic;

pub const Value = abi.Value;
/// Why the last call of the host failed that answered `error.HostFailed`, in words.
pub const reason = @import("dolmen/calls.zig").reason;
pub const kv = @import("dolmen/kv.zig");
pub const sql = @import("dolmen/sql.zig");
pub const fetching = @import("dolmen/fetch.zig");
/// Sends a request and waits for the answer.
pub const fetch = fetching.fetch;
/// Sends up to 64 requests at the same time and waits for all answers.
pub const fetchMany = fetching.fetchMany;
pub const alarm = @import("dolmen/alarm.zig");
pub const sockets = @import("dolmen/sockets.zig");
pub const object = @import("dolmen/object.zig");
/// Writes to Dolmen's log.
pub const log = object.log;
/// Milliseconds since 1970.
pub const nowMs = object.nowMs;

pub const columns = @import("dolmen/columns.zig");
pub const crypto = @import("dolmen/crypto.zig");
