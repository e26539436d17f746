//! Namespaces: the names under which a bundle's classes are reached.

/// One namespace, as a bundle or a manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceSpec {
    /// The name in URLs and in `env`, such as `CHAT_ROOM`.
    pub name: String,
    /// The class that the engine instantiates, such as `ChatRoom`.
    pub class: String,
    /// The folder of its databases and the secret behind its ids; the name unless set.
    pub unique_key: String,
}

/// Most bytes in an object's name.
pub const MAX_NAME_BYTES: usize = 1_024;
