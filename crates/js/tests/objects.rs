//! What objects can do and observe, through the runtime's handle: no HTTP, real storage.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod objects {
    mod alarms;
    mod calls;
    mod documents;
    mod durability;
    mod fetch;
    mod isolation;
    mod lifetime;
    mod module_events;
    mod module_storage;
    mod rpc;
    mod storage;
    mod timers;
    mod web_assembly;
    mod web_sockets;
    mod workerd;
    mod world;
}
