//! What a fan-out gave for one URL.

/// The result of one URL of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FanOut {
    /// The body of an answer with a status of 200 to 299.
    Body(Vec<u8>),
    /// Another status.
    Status(u16),
    /// There was no answer.
    Failed,
}
