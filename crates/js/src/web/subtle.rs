//! The computations of `crypto.subtle`: the native half of `glue/web/subtle.js`, over the RustCrypto crates.
//!
//! What a key may be used for is decided in the glue; here a key is its bytes: a secret's own, an elliptic
//! curve's private number or public point, an RSA key's PKCS#1 form. What takes long runs on another
//! thread, so it does not hold up the shard, and the promise resolves later.

mod aes;
mod cipher;
mod elliptic;
mod keys;
mod rsa;
mod secret;

use std::{fmt::Display, rc::Rc};

use dolmen_runtime::ANY_SECTION;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rquickjs::{
    Array, Ctx, Exception, IntoJs, Object, Result, TypedArray, Value,
    prelude::{Func, Opt},
    promise::Promised,
};
use tokio::sync::Semaphore;

pub(super) use self::{cipher::native as cipher_native, keys::native as key_native};

use super::{WebHost, encoding, run};

/// More data than this is worked on by another thread: some 0.1 ms of hashing.
const MOST_BYTES_HERE: usize = 128 << 10;

/// More rounds of PBKDF2 than this run on another thread.
const MOST_ROUNDS_HERE: u32 = 500;

/// Long computations of the whole process at a time; others wait, so that objects cannot take all cores.
static SLOTS: Semaphore = Semaphore::const_new(4);

/// Why a computation failed, in the words of the standard.
#[derive(Debug)]
pub(super) struct Failure {
    /// The name of the `DOMException`.
    name: &'static str,
    message: String,
}

type Outcome<T> = std::result::Result<T, Failure>;

/// The operation cannot be done with these values.
fn operation(message: impl Display) -> Failure {
    Failure {
        name: "OperationError",
        message: message.to_string(),
    }
}

/// The key's data is not what it should be.
fn data(message: impl Display) -> Failure {
    Failure {
        name: "DataError",
        message: message.to_string(),
    }
}

fn unsupported(message: impl Display) -> Failure {
    Failure {
        name: "NotSupportedError",
        message: message.to_string(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Runs a body with `$digest` as the type that computes the hash.
macro_rules! with_hash {
    ($hash:expr, $digest:ident => $body:expr) => {
        match $hash {
            Hash::Sha1 => {
                type $digest = sha1::Sha1;
                $body
            }
            Hash::Sha256 => {
                type $digest = sha2::Sha256;
                $body
            }
            Hash::Sha384 => {
                type $digest = sha2::Sha384;
                $body
            }
            Hash::Sha512 => {
                type $digest = sha2::Sha512;
                $body
            }
        }
    };
}
use with_hash;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

/// What the glue has checked and filled in; absent members are those that an algorithm does not have.
#[derive(Debug, Default)]
struct Params {
    algorithm: String,
    hash: Option<Hash>,
    curve: Option<Curve>,
    /// `private`, `public` or `secret`.
    key_type: String,
    /// `raw`, `pkcs8`, `spki` or `parts`; of Node's keys also `pkcs1` and `sec1`.
    format: String,
    /// Initialization vector, counter block, salt or label.
    iv: Vec<u8>,
    /// Additional data or info.
    info: Vec<u8>,
    /// Of a tag, a counter, a key or the derived secret, in bits; of a salt in bytes.
    length: usize,
    rounds: u32,
    /// Members of a JWK.
    parts: Vec<Vec<u8>>,
}

impl Params {
    fn read<'js>(ctx: &Ctx<'js>, object: &Object<'js>) -> Result<Self> {
        let unknown = |what: String| {
            encoding::dom_exception(
                ctx,
                "NotSupportedError",
                &format!("{what} is not supported"),
            )
        };
        let hash = match object.get::<_, Option<String>>("hash")?.as_deref() {
            None => None,
            Some("SHA-1") => Some(Hash::Sha1),
            Some("SHA-256") => Some(Hash::Sha256),
            Some("SHA-384") => Some(Hash::Sha384),
            Some("SHA-512") => Some(Hash::Sha512),
            Some(other) => return Err(unknown(format!("the hash {other}"))),
        };
        let curve = match object.get::<_, Option<String>>("namedCurve")?.as_deref() {
            None => None,
            Some("P-256") => Some(Curve::P256),
            Some("P-384") => Some(Curve::P384),
            Some(other) => return Err(unknown(format!("the curve {other}"))),
        };
        let parts: Option<Vec<TypedArray<'js, u8>>> = object.get("parts")?;
        Ok(Self {
            algorithm: object.get("name")?,
            hash,
            curve,
            key_type: object.get::<_, Option<_>>("type")?.unwrap_or_default(),
            format: object.get::<_, Option<_>>("format")?.unwrap_or_default(),
            iv: bytes(object.get("iv")?),
            info: bytes(object.get("info")?),
            length: object.get::<_, Option<_>>("length")?.unwrap_or_default(),
            rounds: object.get::<_, Option<_>>("rounds")?.unwrap_or_default(),
            parts: parts
                .unwrap_or_default()
                .into_iter()
                .map(|part| bytes(Some(part)))
                .collect(),
        })
    }

    fn hash(&self) -> Outcome<Hash> {
        self.hash.ok_or_else(|| operation("no hash is given"))
    }

    fn curve(&self) -> Outcome<Curve> {
        self.curve.ok_or_else(|| operation("no curve is given"))
    }

    fn is_private(&self) -> bool {
        self.key_type == "private"
    }

    fn is_rsa(&self) -> bool {
        self.algorithm.starts_with("RSA")
    }
}

fn bytes(array: Option<TypedArray<'_, u8>>) -> Vec<u8> {
    array
        .and_then(|array| array.as_bytes().map(<[u8]>::to_vec))
        .unwrap_or_default()
}

/// What a computation gives.
enum Output {
    Bytes(Vec<u8>),
    /// Whether a signature is right.
    Verdict(bool),
    /// A private and a public key, or the members of a JWK.
    List(Vec<Vec<u8>>),
}

/// One computation, with all that it needs.
struct Task {
    operation: String,
    params: Params,
    key: Vec<u8>,
    data: Vec<u8>,
    rng: ChaCha20Rng,
}

/// Adds `subtle(operation, params, key, data)` to `native`.
pub(super) fn native<'js>(native: &Object<'js>, host: &Rc<dyn WebHost>) -> Result<()> {
    let host = host.clone();
    let subtle = move |ctx: Ctx<'js>,
                       operation: String,
                       params: Object<'js>,
                       key: Opt<Option<TypedArray<'js, u8>>>,
                       data: Opt<Option<TypedArray<'js, u8>>>| {
        let task = Task::read(&ctx, &*host, operation, &params, key, data)?;
        start(ctx, &*host, task)
    };
    native.set("subtle", Func::from(subtle))
}

/// The task's output, or a promise of it.
fn start<'js>(ctx: Ctx<'js>, host: &dyn WebHost, task: Task) -> Result<Value<'js>> {
    if !task.takes_long() {
        return output(&ctx, task.run());
    }
    let elsewhere = {
        let ctx = ctx.clone();
        async move {
            let slot = SLOTS.acquire().await.expect("the slots are never closed");
            let done = tokio::task::spawn_blocking(move || task.run()).await;
            drop(slot);
            output(&ctx, done.unwrap_or_else(|error| Err(operation(error))))
        }
    };
    // As if it were computed here: no critical section keeps it out.
    Promised(run(super::operation(host, ANY_SECTION), elsewhere)).into_js(&ctx)
}

fn output<'js>(ctx: &Ctx<'js>, outcome: Outcome<Output>) -> Result<Value<'js>> {
    let array = |bytes| TypedArray::<u8>::new_copy(ctx.clone(), bytes).map(TypedArray::into_value);
    match outcome {
        Ok(Output::Bytes(bytes)) => array(bytes),
        Ok(Output::Verdict(right)) => Ok(Value::new_bool(ctx.clone(), right)),
        Ok(Output::List(parts)) => {
            let list = Array::new(ctx.clone())?;
            for (position, part) in parts.into_iter().enumerate() {
                list.set(position, array(part)?)?;
            }
            Ok(list.into_value())
        }
        Err(Failure { name, message }) => Err(encoding::dom_exception(ctx, name, &message)),
    }
}

impl Task {
    fn read<'js>(
        ctx: &Ctx<'js>,
        host: &dyn WebHost,
        operation: String,
        params: &Object<'js>,
        key: Opt<Option<TypedArray<'js, u8>>>,
        data: Opt<Option<TypedArray<'js, u8>>>,
    ) -> Result<Self> {
        let mut seed = [0; 32];
        host.random(&mut seed).map_err(|error| {
            Exception::throw_message(ctx, &format!("no random numbers: {error}"))
        })?;
        Ok(Self {
            operation,
            params: Params::read(ctx, params)?,
            key: bytes(key.0.flatten()),
            data: bytes(data.0.flatten()),
            rng: ChaCha20Rng::from_seed(seed),
        })
    }

    fn takes_long(&self) -> bool {
        let Params {
            algorithm, rounds, ..
        } = &self.params;
        match self.operation.as_str() {
            _ if self.data.len() > MOST_BYTES_HERE => true,
            "generate" | "sign" | "decrypt" => self.params.is_rsa(),
            "derive" => algorithm == "PBKDF2" && *rounds > MOST_ROUNDS_HERE,
            _ => false,
        }
    }

    fn run(mut self) -> Outcome<Output> {
        let Self {
            operation,
            params,
            key,
            data,
            rng,
        } = &mut self;
        let output = match (operation.as_str(), params.algorithm.as_str()) {
            ("digest", "MD5") => Output::Bytes(secret::md5(data)),
            ("digest", _) => Output::Bytes(secret::digest(params.hash()?, data)),
            ("generate", "ECDSA" | "ECDH") => {
                Output::List(elliptic::generate(params.curve()?, rng))
            }
            ("generate", "Ed25519" | "X25519") => {
                Output::List(elliptic::generate_25519(params, rng)?)
            }
            ("generate", _) if params.is_rsa() => Output::List(rsa::generate(params, rng)?),
            ("sign", "HMAC") => Output::Bytes(secret::hmac(params.hash()?, key, data)?),
            ("verify", "HMAC") => {
                let right = secret::hmac(params.hash()?, key, data)?;
                Output::Verdict(secret::equal(&right, &params.iv))
            }
            ("sign", "ECDSA") => Output::Bytes(elliptic::sign(params, key, data)?),
            ("verify", "ECDSA") => Output::Verdict(elliptic::verify(params, key, data)?),
            ("sign", "Ed25519") => Output::Bytes(elliptic::sign_25519(key, data)?),
            ("verify", "Ed25519") => {
                Output::Verdict(elliptic::verify_25519(key, &params.iv, data)?)
            }
            ("sign", _) => Output::Bytes(rsa::sign(params, key, data, rng)?),
            ("verify", _) => Output::Verdict(rsa::verify(params, key, data)?),
            ("encrypt", "RSA-OAEP") => Output::Bytes(rsa::encrypt(params, key, data, rng)?),
            ("decrypt", "RSA-OAEP") => Output::Bytes(rsa::decrypt(params, key, data, rng)?),
            ("encrypt", _) => Output::Bytes(aes::encrypt(params, key, data)?),
            ("decrypt", _) => Output::Bytes(aes::decrypt(params, key, data)?),
            ("derive", "HKDF") => Output::Bytes(secret::hkdf(params, key)?),
            ("derive", "PBKDF2") => Output::Bytes(secret::pbkdf2(params, key)?),
            ("derive", "X25519") => Output::Bytes(elliptic::agree_25519(key, data)?),
            ("derive", _) => Output::Bytes(elliptic::agree(params.curve()?, key, data)?),
            ("import", "ECDSA" | "ECDH") => Output::Bytes(elliptic::import(params, data)?),
            ("import", "Ed25519" | "X25519") => {
                Output::Bytes(elliptic::import_25519(params, data)?)
            }
            ("import", _) => Output::Bytes(rsa::import(params, data)?),
            ("export", "ECDSA" | "ECDH") => Output::Bytes(elliptic::export(params, key)?),
            ("export", "Ed25519" | "X25519") => Output::Bytes(elliptic::export_25519(params, key)?),
            ("export", _) if params.format == "parts" => Output::List(rsa::parts(params, key)?),
            ("export", _) => Output::Bytes(rsa::export(params, key)?),
            ("public", "ECDSA" | "ECDH") => Output::Bytes(elliptic::public(params.curve()?, key)?),
            ("public", _) => Output::Bytes(elliptic::public_25519(params, key)?),
            _ => return Err(unsupported("this operation is not supported")),
        };
        Ok(output)
    }
}
