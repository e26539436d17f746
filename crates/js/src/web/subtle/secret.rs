//! What needs secret bytes only: hashes, HMAC, and secrets derived from secrets.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Digest;

use super::{Hash, Outcome, Params, operation, with_hash};

/// Most rounds of PBKDF2, over all blocks of the derived bits: some seconds of work.
const MOST_ROUNDS: u64 = 10_000_000;

pub(super) fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
    with_hash!(hash, D => D::digest(data).to_vec())
}

/// Of no security, and for nothing but checksums: no other computation takes it as its hash.
pub(super) fn md5(data: &[u8]) -> Vec<u8> {
    md5::Md5::digest(data).to_vec()
}

pub(super) fn hmac(hash: Hash, key: &[u8], data: &[u8]) -> Outcome<Vec<u8>> {
    with_hash!(hash, D => {
        let mut mac = Hmac::<D>::new_from_slice(key).map_err(operation)?;
        mac.update(data);
        Ok(mac.finalize().into_bytes().to_vec())
    })
}

/// Whether two lists of bytes are the same, in a time that does not tell where they differ.
pub(super) fn equal(left: &[u8], right: &[u8]) -> bool {
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |all, (left, right)| all | (left ^ right));
    std::hint::black_box(difference) == 0 && left.len() == right.len()
}

pub(super) fn hkdf(params: &Params, secret: &[u8]) -> Outcome<Vec<u8>> {
    let mut derived = vec![0; params.length / 8];
    with_hash!(params.hash()?, D => {
        Hkdf::<D>::new(Some(&params.iv), secret)
            .expand(&params.info, &mut derived)
            .map_err(|_| operation("HKDF gives at most 255 times the length of its hash"))
    })?;
    Ok(derived)
}

pub(super) fn pbkdf2(params: &Params, password: &[u8]) -> Outcome<Vec<u8>> {
    let hash = params.hash()?;
    let block_bytes = match hash {
        Hash::Sha1 => 20,
        Hash::Sha256 => 32,
        Hash::Sha384 => 48,
        Hash::Sha512 => 64,
    };
    let length = params.length / 8;
    if params.rounds == 0 {
        return Err(operation("PBKDF2 takes at least one iteration"));
    }
    let blocks = length.div_ceil(block_bytes) as u64;
    if blocks.saturating_mul(params.rounds.into()) > MOST_ROUNDS {
        return Err(operation(format!(
            "PBKDF2 takes at most {MOST_ROUNDS} iterations, counted for each {block_bytes} bytes that are derived"
        )));
    }
    let mut derived = vec![0; length];
    with_hash!(hash, D => pbkdf2::pbkdf2_hmac::<D>(password, &params.iv, params.rounds, &mut derived));
    Ok(derived)
}
