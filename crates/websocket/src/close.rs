//! Close codes: RFC 6455, section 7.4.

/// Longest reason of a close frame, in bytes of UTF-8.
pub(crate) const MAX_REASON_BYTES: usize = 123;

/// The codes that Dolmen itself uses.
#[derive(Debug)]
pub struct CloseCode;

impl CloseCode {
    /// A frame that the protocol does not allow.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// Stands for a close frame without a code; never on the wire.
    pub const NO_STATUS: u16 = 1005;
    /// Stands for an end without a close frame; never on the wire.
    pub const ABNORMAL: u16 = 1006;
    /// Text that is not UTF-8.
    pub const INVALID_DATA: u16 = 1007;
    /// A message that is too large.
    pub const TOO_LARGE: u16 = 1009;
    /// The object failed.
    pub const INTERNAL_ERROR: u16 = 1011;
    /// The server restarts.
    pub const RESTART: u16 = 1012;
    /// The other side takes messages too slowly.
    pub const TRY_AGAIN_LATER: u16 = 1013;
}

/// Whether a program may close with `code`: 1000 to 4999 without those that never travel.
pub fn may_be_sent(code: u16) -> bool {
    (1000..5000).contains(&code) && !matches!(code, 1004 | 1005 | 1006 | 1015)
}

/// Whether `code` may stand in a close frame that arrives.
pub(crate) fn may_be_received(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
