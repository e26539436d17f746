//! Handlers written in WAT, through the runtime's handle: no HTTP, real storage.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod handlers {
    mod components;
    mod exchange;
    mod hostile;
    mod limits;
    mod loading;
    mod replays;
    mod wasi;
    mod world;
}
