//! What Node's keys need besides the computations of `crypto.subtle`: to know a key by its encoding, and to
//! have a result at once. The native half of `glue/node/keys.js`.

use std::{rc::Rc, sync::mpsc, time::Duration};

use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfo, SubjectPublicKeyInfoRef, der::Decode,
};
use rquickjs::{
    Ctx, Object, Result, TypedArray, Value,
    prelude::{Func, Opt},
};

use super::{SLOTS, Task, output};
use crate::{
    raw,
    web::{WebHost, crypto, hashes::live},
};

/// How long the shard sleeps before it looks again whether another thread is done.
const NAP: Duration = Duration::from_micros(100);

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

/// Adds `compute(operation, params, key, data)` and `identifyKey(format, der)` to `native`.
pub(in crate::web) fn native<'js>(native: &Object<'js>, host: &Rc<dyn WebHost>) -> Result<()> {
    crypto::native(native, host)?;
    let host = host.clone();
    let compute = move |ctx: Ctx<'js>,
                        operation: String,
                        params: Object<'js>,
                        key: Opt<Option<TypedArray<'js, u8>>>,
                        data: Opt<Option<TypedArray<'js, u8>>>| {
        let task = Task::read(&ctx, &*host, operation, &params, key, data)?;
        finish(&ctx, &*host, task)
    };
    native.set("compute", Func::from(compute))?;
    native.set("identifyKey", Func::from(identify))
}

/// The task's output. While a long one is worked on by another thread, the shard serves its other objects.
fn finish<'js>(ctx: &Ctx<'js>, host: &dyn WebHost, task: Task) -> Result<Value<'js>> {
    if !task.takes_long() {
        return output(ctx, task.run());
    }
    let stopped = || Err(raw::throw_uncatchable(ctx));
    let slot = loop {
        match SLOTS.try_acquire() {
            Ok(slot) => break slot,
            Err(_) if !host.give_way() => return stopped(),
            Err(_) => std::thread::sleep(NAP),
        }
    };
    let (done, result) = mpsc::channel();
    tokio::task::spawn_blocking(move || {
        // Whoever waited may have been stopped.
        let _ = done.send(task.run());
        drop(slot);
    });
    loop {
        match result.recv_timeout(NAP) {
            Ok(outcome) => return output(ctx, outcome),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return output(ctx, Err(super::operation("the computation panicked")));
            }
            Err(mpsc::RecvTimeoutError::Timeout) if !host.give_way() => return stopped(),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

/// The algorithm, and of an elliptic curve its name, of a key in `pkcs8`, `spki` or `sec1`; nothing if it is none
/// that there is.
fn identify<'js>(
    ctx: Ctx<'js>,
    format: String,
    der: TypedArray<'js, u8>,
) -> Result<Option<Vec<&'static str>>> {
    let der = live(&ctx, &der)?;
    if format == "sec1" {
        return Ok(if p256::SecretKey::from_sec1_der(der).is_ok() {
            Some(vec!["ECDSA", "P-256"])
        } else if p384::SecretKey::from_sec1_der(der).is_ok() {
            Some(vec!["ECDSA", "P-384"])
        } else {
            None
        });
    }
    let algorithm = if format == "pkcs8" {
        PrivateKeyInfo::from_der(der)
            .map(|info| info.algorithm)
            .ok()
    } else {
        SubjectPublicKeyInfoRef::from_der(der)
            .map(|info| info.algorithm)
            .ok()
    };
    Ok(algorithm.as_ref().and_then(known))
}

fn known(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<Vec<&'static str>> {
    match algorithm.oid {
        RSA => Some(vec!["RSASSA-PKCS1-v1_5"]),
        ED25519 => Some(vec!["Ed25519"]),
        X25519 => Some(vec!["X25519"]),
        EC => match algorithm.parameters_oid().ok()? {
            P256 => Some(vec!["ECDSA", "P-256"]),
            P384 => Some(vec!["ECDSA", "P-384"]),
            _ => None,
        },
        _ => None,
    }
}
