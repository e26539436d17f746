//! AES in the modes CBC, CTR and GCM, piece by piece: the native half of `glue/node/ciphers.js`.
//!
//! A call works on what it is given in one go; the glue gives it no more than a slice can bear.

use std::{cell::RefCell, rc::Rc};

use ghash::{GHash, universal_hash::UniversalHash};
use rquickjs::{Ctx, Exception, Object, Result, TypedArray, prelude::Func};

use super::{
    aes::{self, Aes, BLOCK, Block},
    secret,
};
use crate::web::hashes::live;

/// Adds `cipher(mode, encrypts, key, iv)` to `native`. The glue has checked the lengths.
pub(in crate::web) fn native(native: &Object<'_>) -> Result<()> {
    native.set("cipher", Func::from(cipher))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Encrypt,
    Decrypt,
}

struct Cipher {
    aes: Aes,
    direction: Direction,
    mode: Mode,
}

enum Mode {
    Cbc {
        /// What the next block is combined with.
        last: Block,
        /// What is no whole block yet; of what is decrypted, the last block waits here for the end.
        waiting: Vec<u8>,
        pads: bool,
    },
    Stream {
        keys: KeyStream,
        tag: Option<Tag>,
    },
}

/// Bytes that data is combined with, made by encrypting a counter.
struct KeyStream {
    counter: Block,
    /// Adds one to the counter.
    next: fn(Block) -> Block,
    made: Block,
    used: usize,
}

impl KeyStream {
    fn new(counter: Block, next: fn(Block) -> Block) -> Self {
        Self {
            counter,
            next,
            made: Block::default(),
            used: BLOCK,
        }
    }

    fn apply(&mut self, aes: &Aes, data: &mut [u8]) {
        for byte in data {
            if self.used == BLOCK {
                self.made = self.counter;
                aes.encrypt(&mut self.made);
                self.counter = (self.next)(self.counter);
                self.used = 0;
            }
            *byte ^= self.made[self.used];
            self.used += 1;
        }
    }
}

/// The tag of GCM as far as data has come.
struct Tag {
    hash: GHash,
    first: Block,
    additional_bytes: usize,
    encrypted_bytes: usize,
    waiting: Vec<u8>,
}

impl Tag {
    fn update(&mut self, encrypted: &[u8]) {
        self.encrypted_bytes += encrypted.len();
        self.waiting.extend_from_slice(encrypted);
        let whole = self.waiting.len() / BLOCK * BLOCK;
        self.hash.update_padded(&self.waiting[..whole]);
        self.waiting.drain(..whole);
    }

    fn finish(mut self, aes: &Aes) -> Block {
        self.hash.update_padded(&self.waiting);
        let lengths = aes::lengths(self.additional_bytes, self.encrypted_bytes);
        self.hash.update(&[lengths.into()]);
        let mut tag: Block = self.hash.finalize().into();
        aes.encrypt(&mut self.first);
        aes::xor(&mut tag, &self.first);
        tag
    }
}

/// Why a cipher gives no more.
enum Failed {
    /// What is left is no whole block.
    Length,
    /// The padding or the tag is wrong.
    Data,
}

impl Cipher {
    /// `None` if key or iv have a length that the mode does not take.
    fn new(mode: &str, direction: Direction, key: &[u8], iv: &[u8]) -> Option<Self> {
        let aes = Aes::new(key).ok()?;
        let mode = match mode {
            "cbc" => Mode::Cbc {
                last: aes::block(iv).ok()?,
                waiting: Vec::new(),
                pads: true,
            },
            "ctr" => {
                let next = |block: Block| u128::from_be_bytes(block).wrapping_add(1).to_be_bytes();
                Mode::Stream {
                    keys: KeyStream::new(aes::block(iv).ok()?, next),
                    tag: None,
                }
            }
            _ => {
                let first = aes::first_counter(&aes, iv);
                Mode::Stream {
                    keys: KeyStream::new(aes::next(first), aes::next),
                    tag: Some(Tag {
                        hash: aes::ghash(&aes),
                        first,
                        additional_bytes: 0,
                        encrypted_bytes: 0,
                        waiting: Vec::new(),
                    }),
                }
            }
        };
        Some(Self {
            aes,
            direction,
            mode,
        })
    }

    fn update(&mut self, data: &[u8]) -> Vec<u8> {
        let Self {
            aes,
            direction,
            mode,
        } = self;
        match mode {
            Mode::Cbc {
                last,
                waiting,
                pads,
            } => {
                waiting.extend_from_slice(data);
                let mut whole = waiting.len() / BLOCK * BLOCK;
                if *direction == Direction::Decrypt && *pads && whole == waiting.len() {
                    whole = whole.saturating_sub(BLOCK);
                }
                let mut out: Vec<u8> = waiting.drain(..whole).collect();
                for block in out.as_chunks_mut::<BLOCK>().0 {
                    chain(aes, *direction, last, block);
                }
                out
            }
            Mode::Stream { keys, tag } => {
                let mut out = data.to_vec();
                keys.apply(aes, &mut out);
                if let Some(tag) = tag {
                    tag.update(match direction {
                        Direction::Encrypt => &out,
                        Direction::Decrypt => data,
                    });
                }
                out
            }
        }
    }

    /// The rest, and of GCM the tag. `given` is the tag that what is decrypted must have.
    fn finish(self, given: &[u8]) -> std::result::Result<(Vec<u8>, Option<Block>), Failed> {
        let Self {
            aes,
            direction,
            mode,
        } = self;
        match mode {
            Mode::Cbc {
                mut last,
                mut waiting,
                pads,
            } => {
                if direction == Direction::Encrypt && pads {
                    let padding = BLOCK - waiting.len();
                    waiting.resize(BLOCK, padding as u8);
                }
                if waiting.is_empty() && (!pads || direction == Direction::Encrypt) {
                    return Ok((waiting, None));
                }
                let block = <&mut Block>::try_from(waiting.as_mut_slice());
                chain(
                    &aes,
                    direction,
                    &mut last,
                    block.map_err(|_| Failed::Length)?,
                );
                if direction == Direction::Decrypt && pads {
                    let padding = usize::from(waiting[BLOCK - 1]);
                    let start = BLOCK.checked_sub(padding).filter(|start| *start < BLOCK);
                    let start = start.ok_or(Failed::Data)?;
                    let is_padded = waiting.drain(start..).all(|b| usize::from(b) == padding);
                    if !is_padded {
                        return Err(Failed::Data);
                    }
                }
                Ok((waiting, None))
            }
            Mode::Stream { tag: None, .. } => Ok((Vec::new(), None)),
            Mode::Stream { tag: Some(tag), .. } => {
                let tag = tag.finish(&aes);
                let is_right = direction == Direction::Encrypt
                    || !given.is_empty()
                        && given.len() <= BLOCK
                        && secret::equal(&tag[..given.len()], given);
                if is_right {
                    Ok((Vec::new(), Some(tag)))
                } else {
                    Err(Failed::Data)
                }
            }
        }
    }
}

/// One block of CBC.
fn chain(aes: &Aes, direction: Direction, last: &mut Block, block: &mut Block) {
    match direction {
        Direction::Encrypt => {
            aes::xor(block, last);
            aes.encrypt(block);
            *last = *block;
        }
        Direction::Decrypt => {
            let next = *block;
            aes.decrypt(block);
            aes::xor(block, last);
            *last = next;
        }
    }
}

/// `{ update(bytes), addData(bytes), noPadding(), final(tag) }`, or nothing if the iv is wrong.
///
/// `final` gives `[rest, tag]`, or the word that says what is wrong: `length` or `data`. Nothing may
/// be called after it.
fn cipher<'js>(
    ctx: Ctx<'js>,
    mode: String,
    encrypts: bool,
    key: TypedArray<'js, u8>,
    iv: TypedArray<'js, u8>,
) -> Result<Option<Object<'js>>> {
    let direction = if encrypts {
        Direction::Encrypt
    } else {
        Direction::Decrypt
    };
    let cipher = Cipher::new(&mode, direction, live(&ctx, &key)?, live(&ctx, &iv)?);
    let Some(cipher) = cipher else {
        return Ok(None);
    };
    let object = Object::new(ctx.clone())?;
    let cipher = Rc::new(RefCell::new(Some(cipher)));
    let over = |ctx: &Ctx<'js>| Exception::throw_internal(ctx, "the cipher is finished");
    let state = cipher.clone();
    object.set(
        "update",
        Func::from(move |ctx: Ctx<'js>, bytes: TypedArray<'js, u8>| {
            let mut state = state.borrow_mut();
            let cipher = state.as_mut().ok_or_else(|| over(&ctx))?;
            let out = cipher.update(live(&ctx, &bytes)?);
            TypedArray::<u8>::new_copy(ctx, out)
        }),
    )?;
    let state = cipher.clone();
    object.set(
        "addData",
        Func::from(move |ctx: Ctx<'js>, bytes: TypedArray<'js, u8>| {
            if let Some(Cipher {
                mode: Mode::Stream { tag: Some(tag), .. },
                ..
            }) = &mut *state.borrow_mut()
            {
                let bytes = live(&ctx, &bytes)?;
                tag.hash.update_padded(bytes);
                tag.additional_bytes += bytes.len();
            }
            Ok::<_, rquickjs::Error>(())
        }),
    )?;
    let state = cipher.clone();
    object.set(
        "noPadding",
        Func::from(move || {
            if let Some(Cipher {
                mode: Mode::Cbc { pads, .. },
                ..
            }) = &mut *state.borrow_mut()
            {
                *pads = false;
            }
        }),
    )?;
    object.set(
        "final",
        Func::from(move |ctx: Ctx<'js>, given: TypedArray<'js, u8>| {
            let cipher = cipher.borrow_mut().take().ok_or_else(|| over(&ctx))?;
            let parts = rquickjs::Array::new(ctx.clone())?;
            match cipher.finish(live(&ctx, &given)?) {
                Ok((rest, tag)) => {
                    parts.set(0, TypedArray::<u8>::new_copy(ctx.clone(), rest)?)?;
                    if let Some(tag) = tag {
                        parts.set(1, TypedArray::<u8>::new_copy(ctx, tag)?)?;
                    }
                    Ok(parts.into_value())
                }
                Err(Failed::Length) => rquickjs::IntoJs::into_js("length", &ctx),
                Err(Failed::Data) => rquickjs::IntoJs::into_js("data", &ctx),
            }
        }),
    )?;
    Ok(Some(object))
}
