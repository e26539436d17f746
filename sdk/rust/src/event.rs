//! An event comes in, and its answer goes out. One runs at a time. The answer stays in memory until
//! the next one begins, since the host reads it after the call.

use std::{
    cell::{OnceCell, RefCell},
    ptr::with_exposed_provenance,
};

use crate::{
    App, FanOut, Request, Response,
    block::Block,
    headers,
    view::{SLOT, TAG_BYTES, TAG_I32, TAG_STRING},
    websocket::{Closing, Message, Socket},
};

const METHOD: usize = 0;
const TARGET: usize = 1;
const BODY: usize = 2;
const HEADERS: usize = 3;
const FIRST_OF_EVENT: usize = 6;
const RESPONSE_SLOTS: usize = 4;
const MAX_FAN_OUT: usize = 64;
/// A larger answer leaves no buffer behind.
const KEPT_BYTES: usize = 64 << 10;

thread_local! {
    static APP: OnceCell<App> = const { OnceCell::new() };
    static ANSWER: RefCell<Block> = RefCell::default();
    /// The URLs of the last plan, and how many they were.
    static PLAN: RefCell<(Block, usize)> = RefCell::default();
}

/// The slots of an event, where the host has put them.
#[derive(Clone, Copy)]
struct Event(u32);

impl Event {
    /// A slot: its tag and its first payload.
    fn slot(self, index: usize) -> (u8, u32) {
        let at = self.0 as usize + index * SLOT;
        // SAFETY: the host has written 10 slots there, or as many more as the plan has URLs.
        let slot: [u8; 8] = unsafe { with_exposed_provenance::<[u8; 8]>(at).read_unaligned() };
        let [tag, _, _, _, a, b, c, d] = slot;
        (tag, u32::from_le_bytes([a, b, c, d]))
    }

    fn i32(self, index: usize) -> i32 {
        self.slot(index).1.cast_signed()
    }

    /// A copy of the bytes of a string or bytes slot; none of another.
    fn bytes(self, index: usize) -> Vec<u8> {
        let (TAG_STRING | TAG_BYTES, header) = self.slot(index) else {
            return Vec::new();
        };
        let header = with_exposed_provenance::<u8>(header as usize);
        // SAFETY: the host has written the length and as many bytes there, and changes nothing of them
        // during the event.
        unsafe {
            let length = header.cast::<u32>().read_unaligned().to_le() as usize;
            std::slice::from_raw_parts(header.add(4), length).to_vec()
        }
    }

    fn text(self, index: usize) -> String {
        let bytes = self.bytes(index);
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn request(self, method: String, body: Vec<u8>) -> Request {
        Request {
            method,
            target: self.text(TARGET),
            body,
            headers: self.text(HEADERS),
            ..Request::default()
        }
    }

    fn results(self, count: usize) -> Vec<FanOut> {
        let result = |index| match self.slot(index) {
            (TAG_STRING | TAG_BYTES, _) => FanOut::Body(self.bytes(index)),
            (TAG_I32, status) => match u16::try_from(status) {
                Ok(0) | Err(_) => FanOut::Failed,
                Ok(status) => FanOut::Status(status),
            },
            _ => FanOut::Failed,
        };
        (FIRST_OF_EVENT..FIRST_OF_EVENT + count)
            .map(result)
            .collect()
    }
}

/// What `_initialize` does. The linker takes a module that does not call its constructors itself for
/// a program, and would run them before every event and the exit handlers after it.
pub fn initialize() {
    #[cfg(target_arch = "wasm32")]
    {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        // SAFETY: the host calls `_initialize` once, and before anything else.
        unsafe { __wasm_call_ctors() }
    }
}

/// What `handle_zerobuf` does. `app` is asked once.
pub fn handle(request: u32, app: fn() -> App) -> u32 {
    let event = Event(request);
    let mut response = APP.with(|cell| answer(event, cell.get_or_init(app)));
    let lines = headers::lines(&response.headers).unwrap_or_else(|fault| {
        response = Response::error(500, fault);
        String::new()
    });
    ANSWER.with_borrow_mut(|block| {
        if block.capacity() > KEPT_BYTES {
            *block = Block::default();
        }
        block.reset(RESPONSE_SLOTS);
        block.i32(0, response.status.into());
        block.string(1, &response.content_type);
        block.bytes(2, &response.body);
        block.string(3, &lines);
        // Addresses have 32 bits in a module.
        block.place().addr() as u32
    })
}

/// What `fanout_zerobuf` does.
pub fn plan(request: u32, plan: fn(&Request) -> Vec<String>) -> u32 {
    let event = Event(request);
    let urls = plan(&event.request(event.text(METHOD), event.bytes(BODY)));
    assert!(
        urls.len() <= MAX_FAN_OUT,
        "a fan-out of {} URLs; {MAX_FAN_OUT} are the most",
        urls.len()
    );
    PLAN.with_borrow_mut(|(block, planned)| {
        *planned = urls.len();
        *block = match urls.is_empty() {
            true => Block::new(1),
            false => Block::strings(&urls),
        };
        // Addresses have 32 bits in a module.
        block.place().addr() as u32
    })
}

fn answer(event: Event, app: &App) -> Response {
    let method = event.text(METHOD);
    match &*method {
        "ALARM" => alarm(event, app),
        "WEBSOCKET_OPEN" | "WEBSOCKET" | "WEBSOCKET_BINARY" | "WEBSOCKET_CLOSE" => {
            socket(event, app, &method)
        }
        _ => {
            let mut request = event.request(method, event.bytes(BODY));
            let planned = PLAN.with_borrow_mut(|(_, planned)| std::mem::take(planned));
            request.fan_out = event.results(planned);
            app.answer(request)
        }
    }
}

fn alarm(event: Event, app: &App) -> Response {
    let Some(alarm) = &app.alarm else {
        return Response::error(500, "this handler takes no alarms: give its App an alarm()");
    };
    match alarm(event.i32(FIRST_OF_EVENT).unsigned_abs()) {
        Ok(()) => Response::status(200),
        Err(error) => Response::error(500, error),
    }
}

fn socket(event: Event, app: &App, kind: &str) -> Response {
    let Some(sockets) = &app.sockets else {
        return Response::error(400, "this handler takes no WebSockets");
    };
    let socket = Socket(event.i32(FIRST_OF_EVENT));
    let request = event.request("GET".to_owned(), Vec::new());
    let body = event.bytes(BODY);
    match kind {
        "WEBSOCKET_OPEN" => return sockets.open(&request, socket),
        "WEBSOCKET" => sockets.message(
            &request,
            socket,
            Message::Text(&String::from_utf8_lossy(&body)),
        ),
        "WEBSOCKET_BINARY" => sockets.message(&request, socket, Message::Binary(&body)),
        _ => {
            let closing = Closing {
                code: u16::try_from(event.i32(FIRST_OF_EVENT + 1)).unwrap_or(1006),
                reason: String::from_utf8_lossy(&body).into_owned(),
                clean: event.i32(FIRST_OF_EVENT + 2) != 0,
            };
            sockets.close(&request, socket, &closing);
        }
    }
    Response::status(200)
}
