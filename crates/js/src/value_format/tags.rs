//! The bytes that name what follows, with V8's own names for them (`value-serializer.cc`).

pub(super) const VERSION: u8 = 0xFF;
pub(super) const PADDING: u8 = 0;
pub(super) const VERIFY_OBJECT_COUNT: u8 = b'?';
pub(super) const THE_HOLE: u8 = b'-';
pub(super) const UNDEFINED: u8 = b'_';
pub(super) const NULL: u8 = b'0';
pub(super) const TRUE: u8 = b'T';
pub(super) const FALSE: u8 = b'F';
pub(super) const INT32: u8 = b'I';
pub(super) const UINT32: u8 = b'U';
pub(super) const DOUBLE: u8 = b'N';
pub(super) const BIG_INT: u8 = b'Z';
pub(super) const UTF8_STRING: u8 = b'S';
pub(super) const ONE_BYTE_STRING: u8 = b'"';
pub(super) const TWO_BYTE_STRING: u8 = b'c';
pub(super) const OBJECT_REFERENCE: u8 = b'^';
pub(super) const BEGIN_OBJECT: u8 = b'o';
pub(super) const END_OBJECT: u8 = b'{';
pub(super) const BEGIN_SPARSE_ARRAY: u8 = b'a';
pub(super) const END_SPARSE_ARRAY: u8 = b'@';
pub(super) const BEGIN_DENSE_ARRAY: u8 = b'A';
pub(super) const END_DENSE_ARRAY: u8 = b'$';
pub(super) const DATE: u8 = b'D';
pub(super) const TRUE_OBJECT: u8 = b'y';
pub(super) const FALSE_OBJECT: u8 = b'x';
pub(super) const NUMBER_OBJECT: u8 = b'n';
pub(super) const BIG_INT_OBJECT: u8 = b'z';
pub(super) const STRING_OBJECT: u8 = b's';
pub(super) const REG_EXP: u8 = b'R';
pub(super) const BEGIN_MAP: u8 = b';';
pub(super) const END_MAP: u8 = b':';
pub(super) const BEGIN_SET: u8 = b'\'';
pub(super) const END_SET: u8 = b',';
pub(super) const ARRAY_BUFFER: u8 = b'B';
pub(super) const RESIZABLE_ARRAY_BUFFER: u8 = b'~';
pub(super) const ARRAY_BUFFER_TRANSFER: u8 = b't';
pub(super) const ARRAY_BUFFER_VIEW: u8 = b'V';
pub(super) const ERROR: u8 = b'r';

/// Tags of things that only their host can read, with what to call them in an error.
pub(super) const FOREIGN: [(u8, &str); 6] = [
    (b'u', "a SharedArrayBuffer"),
    (b'w', "a WebAssembly module"),
    (b'W', "a WebAssembly module"),
    (b'm', "a WebAssembly memory"),
    (b'p', "a shared object"),
    (b'q', "a shared object conveyor"),
];

/// What follows is a value that stands for one that cannot be copied. Ours alone: in messages, never in rows.
pub(super) const REFERENCE: u8 = b'!';

/// What follows is workerd's own: a number of its `SerializationTag`, then what that number says.
pub(super) const HOST_OBJECT: u8 = b'\\';

/// workerd's host objects that are read here. With newer compatibility dates it writes errors so.
pub(super) mod host {
    pub(in super::super) const DOM_EXCEPTION: u32 = 8;
    pub(in super::super) const NATIVE_ERROR: u32 = 10;
    /// The type of a native error whose name comes as text.
    pub(in super::super) const CUSTOM_ERROR: u32 = 0;
    /// The other types that have a constructor here; the rest are read as plain errors.
    pub(in super::super) const ERROR_TYPES: [(u32, &str); 7] = [
        (2, "TypeError"),
        (3, "RangeError"),
        (4, "ReferenceError"),
        (5, "SyntaxError"),
        (10, "EvalError"),
        (11, "URIError"),
        (12, "AggregateError"),
    ];
}

/// What an error may carry.
pub(super) mod error {
    pub(in super::super) const MESSAGE: u8 = b'm';
    pub(in super::super) const CAUSE: u8 = b'c';
    pub(in super::super) const STACK: u8 = b's';
    pub(in super::super) const END: u8 = b'.';
    /// The constructors that have a tag; any other name becomes a plain `Error`.
    pub(in super::super) const PROTOTYPES: [(u8, &str); 6] = [
        (b'E', "EvalError"),
        (b'R', "RangeError"),
        (b'F', "ReferenceError"),
        (b'S', "SyntaxError"),
        (b'T', "TypeError"),
        (b'U', "URIError"),
    ];
}

/// A view of a buffer: its tag, and bytes per element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// By the engine's number for it (`JSTypedArrayEnum`).
    Typed(u32),
    DataView,
}

/// (tag, bytes per element) of each typed array, in the order of the engine's `JSTypedArrayEnum`.
const TYPED: [(u8, usize); 12] = [
    (b'C', 1),
    (b'b', 1),
    (b'B', 1),
    (b'w', 2),
    (b'W', 2),
    (b'd', 4),
    (b'D', 4),
    (b'q', 8),
    (b'Q', 8),
    (b'h', 2),
    (b'f', 4),
    (b'F', 8),
];

impl View {
    pub(super) fn tag(self) -> u8 {
        match self {
            View::DataView => b'?',
            View::Typed(kind) => TYPED[kind as usize].0,
        }
    }

    pub(super) fn element_size(self) -> usize {
        match self {
            View::DataView => 1,
            View::Typed(kind) => TYPED[kind as usize].1,
        }
    }

    pub(super) fn from_tag(tag: u32) -> Option<View> {
        if tag == u32::from(b'?') {
            return Some(View::DataView);
        }
        let kind = TYPED.iter().position(|(own, _)| u32::from(*own) == tag)?;
        Some(View::Typed(kind as u32))
    }
}

/// Bits of a view's flags.
pub(super) const VIEW_IS_LENGTH_TRACKING: u32 = 1;
pub(super) const VIEW_IS_ON_RESIZABLE: u32 = 2;

/// V8's bit for each flag of a regular expression. Bit 6 is V8's own "linear".
pub(super) const REG_EXP_FLAGS: [(char, u32); 8] = [
    ('d', 1 << 7),
    ('g', 1 << 0),
    ('i', 1 << 1),
    ('m', 1 << 2),
    ('s', 1 << 5),
    ('u', 1 << 4),
    ('v', 1 << 8),
    ('y', 1 << 3),
];
