//! RSA: PKCS#1 v1.5 and PSS signatures, OAEP encryption. A key is its PKCS#1 form.

use pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use rand_chacha::ChaCha20Rng;
use rsa::{
    BigUint, Oaep, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey,
    pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey, EncodeRsaPublicKey},
    traits::{PrivateKeyParts, PublicKeyParts},
};

use super::{Hash, Outcome, Params, data as wrong_data, operation, secret, unsupported, with_hash};

/// Shorter moduli are broken by one machine; longer ones take minutes to make.
const GENERATED_BITS: std::ops::RangeInclusive<usize> = 1_024..=4_096;
/// Longer moduli than this are not taken from outside either.
const MOST_BITS: usize = 8_192;

fn private(key: &[u8]) -> Outcome<RsaPrivateKey> {
    RsaPrivateKey::from_pkcs1_der(key).map_err(wrong_data)
}

fn public(key: &[u8]) -> Outcome<RsaPublicKey> {
    RsaPublicKey::from_pkcs1_der(key).map_err(wrong_data)
}

fn pkcs1(key: &RsaPrivateKey) -> Outcome<Vec<u8>> {
    let der = key.to_pkcs1_der().map_err(operation)?;
    Ok(der.as_bytes().to_vec())
}

fn public_pkcs1(key: &RsaPublicKey) -> Outcome<Vec<u8>> {
    Ok(key.to_pkcs1_der().map_err(operation)?.into_vec())
}

/// A private key and its public one. The exponent is `params.iv`.
pub(super) fn generate(params: &Params, rng: &mut ChaCha20Rng) -> Outcome<Vec<Vec<u8>>> {
    if !GENERATED_BITS.contains(&params.length) || !params.length.is_multiple_of(8) {
        return Err(operation(format!(
            "modulusLength is a multiple of 8 from {} to {}",
            GENERATED_BITS.start(),
            GENERATED_BITS.end()
        )));
    }
    let exponent = BigUint::from_bytes_be(&params.iv);
    if exponent != BigUint::from(3_u32) && exponent != BigUint::from(65_537_u32) {
        return Err(operation("publicExponent is 3 or 65537"));
    }
    let key = RsaPrivateKey::new_with_exp(rng, params.length, &exponent).map_err(operation)?;
    Ok(vec![pkcs1(&key)?, public_pkcs1(&key.to_public_key())?])
}

pub(super) fn import(params: &Params, bytes: &[u8]) -> Outcome<Vec<u8>> {
    let number = |position: usize| {
        params
            .parts
            .get(position)
            .map(|part| BigUint::from_bytes_be(part))
    };
    if params.is_private() {
        let key = if params.format == "parts" {
            let (Some(n), Some(e), Some(d)) = (number(0), number(1), number(2)) else {
                return Err(wrong_data("n, e or d is missing"));
            };
            let primes = [number(3), number(4)].into_iter().flatten().collect();
            RsaPrivateKey::from_components(n, e, d, primes).map_err(wrong_data)?
        } else if params.format == "pkcs1" {
            private(bytes)?
        } else {
            RsaPrivateKey::from_pkcs8_der(bytes).map_err(wrong_data)?
        };
        check_size(key.n())?;
        return pkcs1(&key);
    }
    let key = if params.format == "parts" {
        let (Some(n), Some(e)) = (number(0), number(1)) else {
            return Err(wrong_data("n or e is missing"));
        };
        RsaPublicKey::new_with_max_size(n, e, MOST_BITS).map_err(wrong_data)?
    } else if params.format == "pkcs1" {
        public(bytes)?
    } else {
        RsaPublicKey::from_public_key_der(bytes).map_err(wrong_data)?
    };
    check_size(key.n())?;
    public_pkcs1(&key)
}

fn check_size(modulus: &BigUint) -> Outcome<()> {
    match modulus.bits() {
        ..=MOST_BITS => Ok(()),
        bits => Err(wrong_data(format!(
            "the modulus has {bits} bits; at most {MOST_BITS} are supported"
        ))),
    }
}

pub(super) fn export(params: &Params, key: &[u8]) -> Outcome<Vec<u8>> {
    if params.is_private() {
        let der = private(key)?.to_pkcs8_der().map_err(operation)?;
        return Ok(der.as_bytes().to_vec());
    }
    Ok(public(key)?
        .to_public_key_der()
        .map_err(operation)?
        .into_vec())
}

/// n and e, and of a private key d, p, q, dp, dq and qi.
pub(super) fn parts(params: &Params, key: &[u8]) -> Outcome<Vec<Vec<u8>>> {
    if !params.is_private() {
        let key = public(key)?;
        return Ok(vec![key.n().to_bytes_be(), key.e().to_bytes_be()]);
    }
    let mut key = private(key)?;
    key.precompute().map_err(operation)?;
    let ([p, q], Some(dp), Some(dq), Some(qi)) =
        (key.primes(), key.dp(), key.dq(), key.crt_coefficient())
    else {
        return Err(unsupported("a key of more than two primes has no JWK here"));
    };
    let numbers = [key.n(), key.e(), key.d(), p, q, dp, dq, &qi];
    Ok(numbers.map(BigUint::to_bytes_be).into())
}

/// `sign` and `verify` with the padding of the algorithm.
macro_rules! with_padding {
    ($params:expr, $padding:ident => $body:expr) => {{
        let params: &Params = $params;
        with_hash!(params.hash()?, D => match params.algorithm.as_str() {
            "RSA-PSS" => { let $padding = Pss::new_blinded_with_salt::<D>(params.length); $body }
            _ => { let $padding = Pkcs1v15Sign::new::<D>(); $body }
        })
    }};
}

pub(super) fn sign(
    params: &Params,
    key: &[u8],
    data: &[u8],
    rng: &mut ChaCha20Rng,
) -> Outcome<Vec<u8>> {
    let key = private(key)?;
    let hash = secret::digest(params.hash()?, data);
    with_padding!(params, padding => key.sign_with_rng(rng, padding, &hash)).map_err(operation)
}

/// The signature is `params.iv`.
pub(super) fn verify(params: &Params, key: &[u8], data: &[u8]) -> Outcome<bool> {
    let key = public(key)?;
    let hash = secret::digest(params.hash()?, data);
    Ok(with_padding!(params, padding => key.verify(padding, &hash, &params.iv)).is_ok())
}

fn oaep(params: &Params) -> Outcome<Oaep> {
    let label = match params.iv.as_slice() {
        [] => None,
        label => Some(
            String::from_utf8(label.to_vec())
                .map_err(|_| unsupported("the label of RSA-OAEP must be UTF-8"))?,
        ),
    };
    Ok(with_hash!(params.hash()?, D => match label {
        None => Oaep::new::<D>(),
        Some(label) => Oaep::new_with_label::<D, _>(label),
    }))
}

pub(super) fn encrypt(
    params: &Params,
    key: &[u8],
    data: &[u8],
    rng: &mut ChaCha20Rng,
) -> Outcome<Vec<u8>> {
    public(key)?
        .encrypt(rng, oaep(params)?, data)
        .map_err(operation)
}

pub(super) fn decrypt(
    params: &Params,
    key: &[u8],
    data: &[u8],
    rng: &mut ChaCha20Rng,
) -> Outcome<Vec<u8>> {
    private(key)?
        .decrypt_blinded(rng, oaep(params)?, data)
        .map_err(operation)
}
