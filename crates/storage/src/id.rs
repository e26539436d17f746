//! Object ids, made exactly as workerd's local disk makes them, so that folders are interchangeable:
//! key = SHA-256(unique key); A = HMAC-SHA256(key, name)[..16] or 16 random bytes;
//! B = HMAC-SHA256(key, A)[..16]; id = A followed by B. So B proves that an id belongs to a namespace.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

const HALF: usize = 16;
/// Longest unique key in bytes: it is a folder name.
const MAX_UNIQUE_KEY_BYTES: usize = 255;

/// The 32 bytes that name one object within its namespace. Written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 32]);

impl ObjectId {
    /// The bytes of the id.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// An id of these bytes, not checked against any namespace.
    pub fn from_bytes(bytes: [u8; 32]) -> ObjectId {
        ObjectId(bytes)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = Error;

    fn from_str(text: &str) -> Result<ObjectId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| {
            Error::new(
                ErrorKind::Invalid,
                "Invalid Durable Object ID: must be 64 hex digits",
            )
        })?;
        Ok(ObjectId(bytes))
    }
}

/// A namespace's unique key and the ids it derives.
#[derive(Clone)]
pub struct NamespaceKey {
    unique_key: String,
    mac: Hmac<Sha256>,
}

impl NamespaceKey {
    /// Checks that `unique_key` can be a folder name.
    ///
    /// # Errors
    /// `Invalid` if it is empty, starts with a dot, holds a slash, backslash or control character, or is over 255 bytes.
    pub fn new(unique_key: &str) -> Result<NamespaceKey> {
        let unsafe_char = |c: char| c == '/' || c == '\\' || c.is_control();
        if unique_key.is_empty()
            || unique_key.len() > MAX_UNIQUE_KEY_BYTES
            || unique_key.starts_with('.')
            || unique_key.contains(unsafe_char)
        {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "namespace key {unique_key:?} cannot be a folder name: use 1 to {MAX_UNIQUE_KEY_BYTES} bytes, \
                     no leading dot, no slash, backslash or control character"
                ),
            ));
        }
        let key = Sha256::digest(unique_key.as_bytes());
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes a key of any length");
        Ok(NamespaceKey {
            unique_key: unique_key.to_owned(),
            mac,
        })
    }

    /// The key as given; also the name of the namespace's folder.
    pub fn unique_key(&self) -> &str {
        &self.unique_key
    }

    /// The id of the object of this name. Any name is allowed, the empty one too.
    pub fn id_from_name(&self, name: &str) -> ObjectId {
        self.complete(self.half(name.as_bytes()))
    }

    /// A new random id.
    ///
    /// # Errors
    /// `Io` if the operating system gives no random bytes.
    pub fn random_id(&self) -> Result<ObjectId> {
        let mut head = [0; HALF];
        getrandom::fill(&mut head).map_err(|e| {
            Error::new(
                ErrorKind::Io,
                format!(
                    "no random bytes for a new id in namespace `{}`: {e}",
                    self.unique_key
                ),
            )
        })?;
        Ok(self.complete(head))
    }

    /// Reads 64 hex digits and checks that the id was made by this namespace.
    ///
    /// # Errors
    /// `Invalid`, with the two texts that Cloudflare documents.
    pub fn parse_id(&self, hex: &str) -> Result<ObjectId> {
        let id: ObjectId = hex.parse()?;
        let mut head = [0; HALF];
        head.copy_from_slice(&id.0[..HALF]);
        if self.complete(head) == id {
            Ok(id)
        } else {
            Err(Error::new(
                ErrorKind::Invalid,
                "Durable Object ID is not valid for this namespace.",
            ))
        }
    }

    fn half(&self, data: &[u8]) -> [u8; HALF] {
        let tag = self.mac.clone().chain_update(data).finalize().into_bytes();
        let mut half = [0; HALF];
        half.copy_from_slice(&tag[..HALF]);
        half
    }

    fn complete(&self, head: [u8; HALF]) -> ObjectId {
        let mut id = [0; 32];
        id[..HALF].copy_from_slice(&head);
        id[HALF..].copy_from_slice(&self.half(&head));
        ObjectId(id)
    }
}

impl fmt::Debug for NamespaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamespaceKey")
            .field(&self.unique_key)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read from the npm `workerd` 1.20261117.1 with this unique key.
    const KEY: &str = "dolmen-test-key";
    const NAMED: [(&str, &str); 5] = [
        (
            "",
            "4235e2c3077fba7064e3cdf9e0537f74902d9ddf1a7d1fa3997743687448eea7",
        ),
        (
            "a",
            "6f212c645ab654da43250ed03f53cbf589fe34f817b6f4da49b78a2de0915a61",
        ),
        (
            "hello",
            "ebc11743f79574f923400392c4a274c809eeacc97af3e8ab170688a0908cc8ed",
        ),
        (
            "room:1",
            "1018aa75b1a809b3671b0b406a3b915b1d1186a00d26997dde0919c6696df5ab",
        ),
        (
            "😀 ünï",
            "c74cf663a0f750995b161f480efd07db0afd3682177e124e597f647697f2ef5f",
        ),
    ];
    const RANDOM: [&str; 2] = [
        "5f05c8995a443f696999376ed2f1dce3e93459fe9e36490f968d52d9a400a01c",
        "4c3bc7f849800f5d4ea8113e1b14b4690cd66b5833dd6568d4413c39babe75cd",
    ];

    #[test]
    fn ids_are_those_of_workerd() {
        let key = NamespaceKey::new(KEY).unwrap();
        for (name, id) in NAMED {
            assert_eq!(key.id_from_name(name).to_string(), id, "name {name:?}");
        }
        for id in RANDOM {
            assert_eq!(key.parse_id(id).unwrap().to_string(), id);
        }
    }

    #[test]
    fn random_ids_differ_and_belong_to_their_namespace_only() {
        let key = NamespaceKey::new(KEY).unwrap();
        let (one, two) = (key.random_id().unwrap(), key.random_id().unwrap());
        assert_ne!(one, two);
        assert_eq!(key.parse_id(&one.to_string()).unwrap(), one);
        let other = NamespaceKey::new("other").unwrap();
        assert_eq!(
            other.parse_id(&one.to_string()).unwrap_err().message(),
            "Durable Object ID is not valid for this namespace."
        );
    }

    #[test]
    fn ids_of_a_bad_shape_get_the_documented_text() {
        let key = NamespaceKey::new(KEY).unwrap();
        for bad in [
            "",
            "zz",
            "é",
            &"g".repeat(64),
            &"a".repeat(63),
            &"a".repeat(66),
        ] {
            let error = key.parse_id(bad).unwrap_err();
            assert_eq!(
                error.message(),
                "Invalid Durable Object ID: must be 64 hex digits"
            );
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn keys_that_cannot_be_folders_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            ".x",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            &"x".repeat(256),
        ] {
            assert_eq!(
                NamespaceKey::new(bad).unwrap_err().kind(),
                ErrorKind::Invalid,
                "{bad:?}"
            );
        }
        NamespaceKey::new("miniflare-CounterObject").unwrap();
    }
}
