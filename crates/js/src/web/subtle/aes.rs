//! AES and its modes: CBC, CTR, GCM (NIST SP 800-38A and D) and KW (RFC 3394).
//!
//! The modes are written out here, because a counter and a tag may have any length, which is a type in the
//! crates that have them.

use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit, generic_array::GenericArray};
use ghash::{GHash, universal_hash::UniversalHash};

use super::{Outcome, Params, operation, secret};

pub(super) const BLOCK: usize = 16;
pub(super) type Block = [u8; BLOCK];

/// What AES-KW puts in front of a key.
const WRAP_MARK: [u8; 8] = [0xA6; 8];
const WRAP_ROUNDS: usize = 6;

pub(super) enum Aes {
    Aes128(aes::Aes128),
    Aes192(aes::Aes192),
    Aes256(aes::Aes256),
}

impl Aes {
    pub(super) fn new(key: &[u8]) -> Outcome<Self> {
        let wrong = |_| operation("an AES key has 128, 192 or 256 bits");
        Ok(match key.len() {
            16 => Aes::Aes128(aes::Aes128::new_from_slice(key).map_err(wrong)?),
            24 => Aes::Aes192(aes::Aes192::new_from_slice(key).map_err(wrong)?),
            _ => Aes::Aes256(aes::Aes256::new_from_slice(key).map_err(wrong)?),
        })
    }

    pub(super) fn encrypt(&self, block: &mut Block) {
        let block = GenericArray::from_mut_slice(block);
        match self {
            Aes::Aes128(aes) => aes.encrypt_block(block),
            Aes::Aes192(aes) => aes.encrypt_block(block),
            Aes::Aes256(aes) => aes.encrypt_block(block),
        }
    }

    pub(super) fn decrypt(&self, block: &mut Block) {
        let block = GenericArray::from_mut_slice(block);
        match self {
            Aes::Aes128(aes) => aes.decrypt_block(block),
            Aes::Aes192(aes) => aes.decrypt_block(block),
            Aes::Aes256(aes) => aes.decrypt_block(block),
        }
    }
}

pub(super) fn encrypt(params: &Params, key: &[u8], data: &[u8]) -> Outcome<Vec<u8>> {
    let aes = Aes::new(key)?;
    match params.algorithm.as_str() {
        "AES-CBC" => encrypt_cbc(&aes, block(&params.iv)?, data),
        "AES-CTR" => counter(&aes, block(&params.iv)?, params.length, data),
        "AES-GCM" => encrypt_gcm(&aes, params, data),
        _ => wrap(&aes, data),
    }
}

pub(super) fn decrypt(params: &Params, key: &[u8], data: &[u8]) -> Outcome<Vec<u8>> {
    let aes = Aes::new(key)?;
    match params.algorithm.as_str() {
        "AES-CBC" => decrypt_cbc(&aes, block(&params.iv)?, data),
        "AES-CTR" => counter(&aes, block(&params.iv)?, params.length, data),
        "AES-GCM" => decrypt_gcm(&aes, params, data),
        _ => unwrap(&aes, data),
    }
}

pub(super) fn block(bytes: &[u8]) -> Outcome<Block> {
    bytes
        .try_into()
        .map_err(|_| operation("the iv or counter has 16 bytes"))
}

pub(super) fn xor(block: &mut Block, other: &Block) {
    for (byte, other) in block.iter_mut().zip(other) {
        *byte ^= other;
    }
}

fn encrypt_cbc(aes: &Aes, mut last: Block, data: &[u8]) -> Outcome<Vec<u8>> {
    let padding = BLOCK - data.len() % BLOCK;
    let mut all = data.to_vec();
    all.resize(data.len() + padding, padding as u8);
    for chunk in all.as_chunks_mut::<BLOCK>().0 {
        xor(chunk, &last);
        aes.encrypt(chunk);
        last = *chunk;
    }
    Ok(all)
}

fn decrypt_cbc(aes: &Aes, mut last: Block, data: &[u8]) -> Outcome<Vec<u8>> {
    let wrong = || operation("the data cannot be decrypted with this key and iv");
    let mut all = data.to_vec();
    let (blocks, []) = all.as_chunks_mut::<BLOCK>() else {
        return Err(wrong());
    };
    for chunk in blocks {
        let next = *chunk;
        aes.decrypt(chunk);
        xor(chunk, &last);
        last = next;
    }
    let padding = usize::from(*all.last().ok_or_else(wrong)?);
    let is_padded = (1..=BLOCK).contains(&padding)
        && all[all.len() - padding..]
            .iter()
            .all(|byte| usize::from(*byte) == padding);
    if !is_padded {
        return Err(wrong());
    }
    all.truncate(all.len() - padding);
    Ok(all)
}

/// Encrypts and decrypts: the last `bits` bits of the block count.
fn counter(aes: &Aes, start: Block, bits: usize, data: &[u8]) -> Outcome<Vec<u8>> {
    let mask = match bits {
        1..128 => (1 << bits) - 1,
        128 => u128::MAX,
        _ => {
            return Err(operation(
                "the length of an AES-CTR counter is 1 to 128 bits",
            ));
        }
    };
    let blocks = data.len().div_ceil(BLOCK) as u128;
    if mask != u128::MAX && blocks > mask + 1 {
        return Err(operation("the data is longer than the counter can count"));
    }
    let mut all = data.to_vec();
    let mut count = u128::from_be_bytes(start);
    for chunk in all.chunks_mut(BLOCK) {
        let mut stream = count.to_be_bytes();
        aes.encrypt(&mut stream);
        for (byte, other) in chunk.iter_mut().zip(stream) {
            *byte ^= other;
        }
        count = count & !mask | count.wrapping_add(1) & mask;
    }
    Ok(all)
}

// ---- GCM -------------------------------------------------------------------------------------------

pub(super) fn ghash(aes: &Aes) -> GHash {
    let mut key = Block::default();
    aes.encrypt(&mut key);
    GHash::new(GenericArray::from_slice(&key))
}

pub(super) fn lengths(first: usize, second: usize) -> Block {
    let bits = |bytes: usize| bytes as u128 * 8;
    (bits(first) << 64 | bits(second)).to_be_bytes()
}

/// The block that the tag is hidden with; counting goes on from the next one.
pub(super) fn first_counter(aes: &Aes, iv: &[u8]) -> Block {
    if let Ok(iv) = <[u8; 12]>::try_from(iv) {
        let mut block = [0; BLOCK];
        block[..12].copy_from_slice(&iv);
        block[15] = 1;
        return block;
    }
    let mut hash = ghash(aes);
    hash.update_padded(iv);
    hash.update(&[lengths(0, iv.len()).into()]);
    hash.finalize().into()
}

pub(super) fn next(block: Block) -> Block {
    let count = u128::from_be_bytes(block);
    let mask = u128::from(u32::MAX);
    (count & !mask | count.wrapping_add(1) & mask).to_be_bytes()
}

fn tag(aes: &Aes, first: Block, params: &Params, encrypted: &[u8]) -> Block {
    let mut hash = ghash(aes);
    hash.update_padded(&params.info);
    hash.update_padded(encrypted);
    hash.update(&[lengths(params.info.len(), encrypted.len()).into()]);
    let mut tag: Block = hash.finalize().into();
    let mut mask = first;
    aes.encrypt(&mut mask);
    xor(&mut tag, &mask);
    tag
}

fn encrypt_gcm(aes: &Aes, params: &Params, data: &[u8]) -> Outcome<Vec<u8>> {
    let first = first_counter(aes, &params.iv);
    let mut all = counter(aes, next(first), 32, data)?;
    let tag = tag(aes, first, params, &all);
    all.extend_from_slice(&tag[..params.length / 8]);
    Ok(all)
}

fn decrypt_gcm(aes: &Aes, params: &Params, data: &[u8]) -> Outcome<Vec<u8>> {
    let wrong =
        || operation("the data is not what was encrypted with this key, iv and additional data");
    let length = params.length / 8;
    let end = data.len().checked_sub(length).ok_or_else(wrong)?;
    let (encrypted, given) = data.split_at(end);
    let first = first_counter(aes, &params.iv);
    if !secret::equal(&tag(aes, first, params, encrypted)[..length], given) {
        return Err(wrong());
    }
    counter(aes, next(first), 32, encrypted)
}

// ---- KW --------------------------------------------------------------------------------------------

fn wrap(aes: &Aes, key: &[u8]) -> Outcome<Vec<u8>> {
    let (parts, []) = key.as_chunks::<8>() else {
        return Err(operation("AES-KW wraps what has a multiple of 64 bits"));
    };
    if parts.len() < 2 {
        return Err(operation("AES-KW wraps at least 128 bits"));
    }
    let mut parts = parts.to_vec();
    let mut mark = WRAP_MARK;
    let count = parts.len();
    for round in 0..WRAP_ROUNDS {
        for (position, part) in parts.iter_mut().enumerate() {
            let mut block = join(mark, *part);
            aes.encrypt(&mut block);
            let step = (count * round + position + 1) as u64;
            (mark, *part) = split(block);
            mark = (u64::from_be_bytes(mark) ^ step).to_be_bytes();
        }
    }
    Ok([mark].into_iter().chain(parts).flatten().collect())
}

fn unwrap(aes: &Aes, wrapped: &[u8]) -> Outcome<Vec<u8>> {
    let wrong = || operation("the key was not wrapped with this key");
    let (all, []) = wrapped.as_chunks::<8>() else {
        return Err(wrong());
    };
    let [mark, parts @ ..] = all else {
        return Err(wrong());
    };
    if parts.len() < 2 {
        return Err(wrong());
    }
    let (mut mark, mut parts) = (*mark, parts.to_vec());
    let count = parts.len();
    for round in (0..WRAP_ROUNDS).rev() {
        for (position, part) in parts.iter_mut().enumerate().rev() {
            let step = (count * round + position + 1) as u64;
            let mut block = join((u64::from_be_bytes(mark) ^ step).to_be_bytes(), *part);
            aes.decrypt(&mut block);
            (mark, *part) = split(block);
        }
    }
    match secret::equal(&mark, &WRAP_MARK) {
        true => Ok(parts.into_flattened()),
        false => Err(wrong()),
    }
}

fn join(left: [u8; 8], right: [u8; 8]) -> Block {
    let mut block = [0; BLOCK];
    block[..8].copy_from_slice(&left);
    block[8..].copy_from_slice(&right);
    block
}

fn split(block: Block) -> ([u8; 8], [u8; 8]) {
    let [left, right] = *block.as_chunks::<8>().0 else {
        unreachable!("a block has two halves")
    };
    (left, right)
}
