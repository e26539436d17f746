//! Digests, MACs and encryption, by the crates of RustCrypto.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

/// Bytes that [`aes256_gcm_encrypt`] adds to a text.
pub const TAG_BYTES: usize = 16;

/// A text that was changed, or was not encrypted with that key, nonce and extra data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongTag;

impl std::fmt::Display for WrongTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the text was changed, or its key, nonce or extra data is another")
    }
}

impl std::error::Error for WrongTag {}

/// SHA-256.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// SHA-512.
pub fn sha512(data: &[u8]) -> [u8; 64] {
    Sha512::digest(data).into()
}

/// HMAC with SHA-256. The key may have any length.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    mac(key, data).finalize().into_bytes().into()
}

/// Whether a MAC is the right one, in a time that does not depend on where it differs.
pub fn hmac_sha256_verify(key: &[u8], data: &[u8], expected: &[u8]) -> bool {
    mac(key, data).verify_slice(expected).is_ok()
}

fn mac(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key);
    let mut mac = mac.expect("HMAC takes keys of every length");
    mac.update(data);
    mac
}

/// AES-256-GCM: the encrypted text and its tag of 16 bytes. A nonce must never be used twice with
/// the same key. `extra` is not encrypted, but must be the same to decrypt; it may be empty.
pub fn aes256_gcm_encrypt(key: &[u8; 32], nonce: &[u8; 12], extra: &[u8], text: &[u8]) -> Vec<u8> {
    let payload = Payload {
        msg: text,
        aad: extra,
    };
    let sealed = Aes256Gcm::new(key.into()).encrypt(nonce.into(), payload);
    sealed.expect("the text is shorter than 64 GiB, as the memory is")
}

/// The text that [`aes256_gcm_encrypt`] has encrypted.
///
/// # Errors
/// If the tag is not right. Nothing of the text is given then.
pub fn aes256_gcm_decrypt(
    key: &[u8; 32],
    nonce: &[u8; 12],
    extra: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, WrongTag> {
    let payload = Payload {
        msg: sealed,
        aad: extra,
    };
    Aes256Gcm::new(key.into())
        .decrypt(nonce.into(), payload)
        .map_err(|_| WrongTag)
}
