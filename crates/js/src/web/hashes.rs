//! Hashes piece by piece, HMAC and PBKDF2, for Node's `crypto` and `crypto.DigestStream`.
//!
//! A call hashes what it is given in one go; the glue gives it no more than a slice can bear.

use std::{cell::RefCell, rc::Rc};

use md5::Md5;
use rquickjs::{
    Ctx, Exception, Object, Result, TypedArray,
    prelude::{Func, MutFn},
};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256, digest::DynDigest};

/// Adds the functions to `native`.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("hash", Func::from(hash))?;
    native.set("hmac", Func::from(hmac))?;
    native.set("pbkdf2", Func::from(pbkdf2))
}

/// A hash by Node's name in small letters, and the size of its blocks in bytes.
fn find(name: &str) -> Option<(Box<dyn DynDigest>, usize)> {
    const SMALL: usize = 64;
    const LARGE: usize = 128;
    Some(match name {
        "md5" => (Box::new(Md5::default()), SMALL),
        "sha1" => (Box::new(Sha1::default()), SMALL),
        "sha224" => (Box::new(Sha224::default()), SMALL),
        "sha256" => (Box::new(Sha256::default()), SMALL),
        "sha384" => (Box::new(Sha384::default()), LARGE),
        "sha512" => (Box::new(Sha512::default()), LARGE),
        "sha512-224" => (Box::new(Sha512_224::default()), LARGE),
        "sha512-256" => (Box::new(Sha512_256::default()), LARGE),
        _ => return None,
    })
}

/// A keyed hash: what is hashed is `H(outer ‖ H(inner ‖ message))`.
#[derive(Clone)]
struct Keyed {
    inner: Box<dyn DynDigest>,
    /// `None` for a plain hash.
    outer: Option<Box<dyn DynDigest>>,
}

impl Keyed {
    fn new(name: &str, key: &[u8]) -> Option<Self> {
        const INNER: u8 = 0x36;
        const OUTER: u8 = 0x5C;
        let (hash, block) = find(name)?;
        let mut padded = vec![0; block];
        if key.len() > block {
            let mut short = hash.clone();
            short.update(key);
            let short = short.finalize();
            padded[..short.len()].copy_from_slice(&short);
        } else {
            padded[..key.len()].copy_from_slice(key);
        }
        let keyed = |with: u8| {
            let mut hash = hash.clone();
            hash.update(&padded.iter().map(|byte| byte ^ with).collect::<Vec<u8>>());
            hash
        };
        Some(Self {
            inner: keyed(INNER),
            outer: Some(keyed(OUTER)),
        })
    }

    fn finish(self) -> Box<[u8]> {
        let inner = self.inner.finalize();
        match self.outer {
            None => inner,
            Some(mut outer) => {
                outer.update(&inner);
                outer.finalize()
            }
        }
    }
}

fn hash<'js>(ctx: Ctx<'js>, name: String) -> Result<Option<Object<'js>>> {
    let found = find(&name).map(|(inner, _)| Keyed { inner, outer: None });
    found.map(|keyed| running(&ctx, keyed)).transpose()
}

fn hmac<'js>(ctx: Ctx<'js>, name: String, key: TypedArray<'js, u8>) -> Result<Option<Object<'js>>> {
    let keyed = Keyed::new(&name, live(&ctx, &key)?);
    keyed.map(|keyed| running(&ctx, keyed)).transpose()
}

/// An object with `update(bytes)`, `digest()` and `copy()`.
fn running<'js>(ctx: &Ctx<'js>, keyed: Keyed) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    let keyed = Rc::new(RefCell::new(keyed));
    let state = keyed.clone();
    let update = move |ctx: Ctx<'js>, bytes: TypedArray<'js, u8>| -> Result<()> {
        state.borrow_mut().inner.update(live(&ctx, &bytes)?);
        Ok(())
    };
    object.set("update", Func::from(update))?;
    let state = keyed.clone();
    let digest = move |ctx: Ctx<'js>| {
        let digest = state.borrow().clone().finish();
        TypedArray::<u8>::new_copy(ctx, digest)
    };
    object.set("digest", Func::from(digest))?;
    let copy = move |ctx: Ctx<'js>| running(&ctx, keyed.borrow().clone());
    object.set("copy", Func::from(copy))?;
    Ok(object)
}

/// One block of PBKDF2: a function of a number of rounds, to be called until they are all done. It
/// returns the block so far.
fn pbkdf2<'js>(
    ctx: Ctx<'js>,
    name: String,
    password: TypedArray<'js, u8>,
    salt: TypedArray<'js, u8>,
    block: u32,
) -> Result<rquickjs::Function<'js>> {
    let Some(keyed) = Keyed::new(&name, live(&ctx, &password)?) else {
        return Err(Exception::throw_internal(&ctx, "no such hash"));
    };
    let mut last = live(&ctx, &salt)?.to_vec();
    last.extend(block.to_be_bytes());
    let mut sum: Vec<u8> = Vec::new();
    let rounds = move |ctx: Ctx<'js>, count: u32| {
        for _ in 0..count {
            let mut round = keyed.clone();
            round.inner.update(&last);
            last = round.finish().into_vec();
            if sum.is_empty() {
                sum.clone_from(&last);
            } else {
                for (sum, byte) in sum.iter_mut().zip(&last) {
                    *sum ^= byte;
                }
            }
        }
        TypedArray::<u8>::new_copy(ctx, &sum)
    };
    rquickjs::Function::new(ctx, MutFn::new(rounds))
}

/// The bytes of an array whose memory is still its own.
pub(crate) fn live<'a>(ctx: &Ctx<'_>, bytes: &'a TypedArray<'_, u8>) -> Result<&'a [u8]> {
    bytes
        .as_bytes()
        .ok_or_else(|| Exception::throw_type(ctx, "the ArrayBuffer is detached"))
}
