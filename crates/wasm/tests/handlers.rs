//! Handlers written in WAT, through the runtime's handle: no HTTP, real storage.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod handlers {
    mod components;
    mod doing;
    mod events;
    mod exchange;
    mod fan_out;
    mod guests;
    mod hostile;
    mod imports;
    mod limits;
    mod loading;
    mod replays;
    mod server;
    mod wasi;
    mod world;
}
