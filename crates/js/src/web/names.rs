//! The global names, and which group each belongs to.

use std::ffi::CStr;

/// Names that are built together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Url,
    Encoding,
    Events,
    Abort,
    Blob,
    FormData,
    Headers,
    Fetch,
    Streams,
    Transform,
    Compression,
    UrlPattern,
    Scheduler,
    Messages,
    Absent,
    WebSocket,
    Crypto,
    Subtle,
    Platform,
    Clone,
    Disposal,
    WebAssembly,
}

impl Group {
    pub(super) const COUNT: usize = Group::WebAssembly as usize + 1;
}

/// Every name with its group. `self`, `DOMException` and `queueMicrotask` need no group.
pub(super) const NAMES: [(&CStr, Group); 66] = [
    (c"URL", Group::Url),
    (c"URLSearchParams", Group::Url),
    (c"TextEncoder", Group::Encoding),
    (c"TextDecoder", Group::Encoding),
    (c"atob", Group::Encoding),
    (c"btoa", Group::Encoding),
    (c"Event", Group::Events),
    (c"CustomEvent", Group::Events),
    (c"EventTarget", Group::Events),
    (c"AbortController", Group::Abort),
    (c"AbortSignal", Group::Abort),
    (c"Blob", Group::Blob),
    (c"File", Group::Blob),
    (c"FormData", Group::FormData),
    (c"Headers", Group::Headers),
    (c"Request", Group::Fetch),
    (c"Response", Group::Fetch),
    (c"fetch", Group::Fetch),
    (c"ReadableStream", Group::Streams),
    (c"ReadableStreamDefaultReader", Group::Streams),
    (c"ReadableStreamBYOBReader", Group::Streams),
    (c"ReadableStreamBYOBRequest", Group::Streams),
    (c"ReadableStreamDefaultController", Group::Streams),
    (c"ReadableByteStreamController", Group::Streams),
    (c"WritableStream", Group::Streams),
    (c"WritableStreamDefaultWriter", Group::Streams),
    (c"WritableStreamDefaultController", Group::Streams),
    (c"ByteLengthQueuingStrategy", Group::Streams),
    (c"CountQueuingStrategy", Group::Streams),
    (c"TransformStream", Group::Transform),
    (c"TransformStreamDefaultController", Group::Transform),
    (c"TextEncoderStream", Group::Transform),
    (c"TextDecoderStream", Group::Transform),
    (c"CompressionStream", Group::Compression),
    (c"DecompressionStream", Group::Compression),
    (c"URLPattern", Group::UrlPattern),
    (c"scheduler", Group::Scheduler),
    (c"MessageChannel", Group::Messages),
    (c"MessagePort", Group::Messages),
    (c"MessageEvent", Group::Messages),
    (c"HTMLRewriter", Group::Absent),
    (c"WebSocket", Group::WebSocket),
    (c"WebSocketPair", Group::WebSocket),
    (c"WebSocketRequestResponsePair", Group::WebSocket),
    (c"CloseEvent", Group::WebSocket),
    (c"ErrorEvent", Group::WebSocket),
    (c"Worker", Group::Absent),
    (c"EventSource", Group::Absent),
    (c"caches", Group::Absent),
    (c"crypto", Group::Crypto),
    (c"Crypto", Group::Crypto),
    (c"SubtleCrypto", Group::Subtle),
    (c"CryptoKey", Group::Subtle),
    (c"performance", Group::Platform),
    (c"Performance", Group::Platform),
    (c"PerformanceEntry", Group::Platform),
    (c"PerformanceMark", Group::Platform),
    (c"PerformanceMeasure", Group::Platform),
    (c"navigator", Group::Platform),
    (c"Navigator", Group::Platform),
    (c"structuredClone", Group::Clone),
    (c"reportError", Group::Clone),
    (c"SuppressedError", Group::Disposal),
    (c"DisposableStack", Group::Disposal),
    (c"AsyncDisposableStack", Group::Disposal),
    (c"WebAssembly", Group::WebAssembly),
];

/// A name as text. All of them are ASCII.
pub(super) fn text(name: &'static CStr) -> &'static str {
    name.to_str().expect("names are ASCII")
}

/// What groups use of each other besides their global names.
const INTERNAL: [(&str, Group); 17] = [
    ("partsOfRequest", Group::Fetch),
    ("partsOfResponse", Group::Fetch),
    ("takeBody", Group::Fetch),
    ("internalRequest", Group::Fetch),
    ("internalResponse", Group::Fetch),
    ("bytesOfBlob", Group::Blob),
    ("encodeForm", Group::FormData),
    ("parseForm", Group::FormData),
    ("isDisturbed", Group::Streams),
    ("readableOf", Group::Streams),
    ("Reader", Group::Streams),
    ("subtle", Group::Subtle),
    ("usingCtx", Group::Disposal),
    ("hibernation", Group::WebSocket),
    ("socketOfHandle", Group::WebSocket),
    ("releaseSocket", Group::WebSocket),
    ("moduleOfCode", Group::WebAssembly),
];

/// The group of a name that our glue uses.
pub(super) fn group(name: &str) -> Group {
    let mut all = NAMES
        .iter()
        .map(|(own, group)| (text(own), *group))
        .chain(INTERNAL);
    all.find(|(own, _)| *own == name)
        .expect("our glue uses only names of this file")
        .1
}
