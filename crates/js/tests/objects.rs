//! What CommonJS objects can do and observe, through the runtime's handle: no HTTP, real storage.

mod objects {
    mod alarms;
    mod calls;
    mod durability;
    mod fetch;
    mod isolation;
    mod lifetime;
    mod rpc;
    mod storage;
    mod timers;
    mod world;
}
