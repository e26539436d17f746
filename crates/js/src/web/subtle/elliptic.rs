//! Elliptic curves: P-256 and P-384 for ECDSA and ECDH, Curve25519 for Ed25519 and X25519.
//!
//! A private key is its number, big-endian and as long as the curve's, or the seed of Curve25519; a public
//! key its point, uncompressed, or the 32 bytes of Curve25519.

use ed25519_dalek::{Signer, SigningKey, Verifier, VerifyingKey};
use pkcs8::{
    AlgorithmIdentifierRef, DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey,
    ObjectIdentifier, PrivateKeyInfo, SubjectPublicKeyInfoRef,
    der::{Decode, Encode, asn1::BitStringRef},
};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore};

use super::{Curve, Outcome, Params, data as wrong_data, operation, secret};

/// Runs a body with `$curve` as the crate of the curve.
macro_rules! on {
    ($which:expr, $curve:ident => $body:expr) => {
        match $which {
            Curve::P256 => {
                use p256 as $curve;
                $body
            }
            Curve::P384 => {
                use p384 as $curve;
                $body
            }
        }
    };
}

/// A private key and its public one.
pub(super) fn generate(curve: Curve, rng: &mut ChaCha20Rng) -> Vec<Vec<u8>> {
    on!(curve, curve => {
        let private = curve::SecretKey::random(rng);
        vec![private.to_bytes().to_vec(), private.public_key().to_sec1_bytes().to_vec()]
    })
}

fn no_private(_: impl std::fmt::Display) -> super::Failure {
    wrong_data("this is no private key of the curve")
}

fn no_public(_: impl std::fmt::Display) -> super::Failure {
    wrong_data("this is no public key of the curve")
}

pub(super) fn public(curve: Curve, key: &[u8]) -> Outcome<Vec<u8>> {
    on!(curve, curve => {
        let private = curve::SecretKey::from_slice(key).map_err(no_private)?;
        Ok(private.public_key().to_sec1_bytes().to_vec())
    })
}

pub(super) fn import(params: &Params, bytes: &[u8]) -> Outcome<Vec<u8>> {
    on!(params.curve()?, curve => match (params.format.as_str(), params.is_private()) {
        ("pkcs8", _) => Ok(curve::SecretKey::from_pkcs8_der(bytes).map_err(no_private)?.to_bytes().to_vec()),
        ("sec1", _) => Ok(curve::SecretKey::from_sec1_der(bytes).map_err(no_private)?.to_bytes().to_vec()),
        ("raw", true) => Ok(curve::SecretKey::from_slice(bytes).map_err(no_private)?.to_bytes().to_vec()),
        (format, _) => {
            let public = match format {
                "spki" => curve::PublicKey::from_public_key_der(bytes).map_err(no_public)?,
                _ => curve::PublicKey::from_sec1_bytes(bytes).map_err(no_public)?,
            };
            Ok(public.to_sec1_bytes().to_vec())
        }
    })
}

pub(super) fn export(params: &Params, key: &[u8]) -> Outcome<Vec<u8>> {
    on!(params.curve()?, curve => match params.is_private() {
        true => {
            let private = curve::SecretKey::from_slice(key).map_err(no_private)?;
            if params.format == "sec1" {
                return Ok(private.to_sec1_der().map_err(operation)?.to_vec());
            }
            Ok(private.to_pkcs8_der().map_err(operation)?.as_bytes().to_vec())
        }
        false => {
            let public = curve::PublicKey::from_sec1_bytes(key).map_err(no_public)?;
            Ok(public.to_public_key_der().map_err(operation)?.into_vec())
        }
    })
}

/// The hash as the curve's signatures take it: at least as long as the curve's numbers, which changes no value.
fn prehash(params: &Params, data: &[u8]) -> Outcome<Vec<u8>> {
    let length = match params.curve()? {
        Curve::P256 => 32,
        Curve::P384 => 48,
    };
    let hash = secret::digest(params.hash()?, data);
    let mut padded = vec![0; usize::saturating_sub(length, hash.len())];
    padded.extend_from_slice(&hash);
    Ok(padded)
}

pub(super) fn sign(params: &Params, key: &[u8], data: &[u8]) -> Outcome<Vec<u8>> {
    let hash = prehash(params, data)?;
    on!(params.curve()?, curve => {
        use curve::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
        let signer = SigningKey::from_slice(key).map_err(no_private)?;
        let signature: Signature = signer.sign_prehash(&hash).map_err(operation)?;
        Ok(signature.to_bytes().to_vec())
    })
}

/// The signature is `params.iv`.
pub(super) fn verify(params: &Params, key: &[u8], data: &[u8]) -> Outcome<bool> {
    let hash = prehash(params, data)?;
    on!(params.curve()?, curve => {
        use curve::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
        let verifier = VerifyingKey::from_sec1_bytes(key).map_err(no_public)?;
        let signature = Signature::from_slice(&params.iv);
        Ok(signature.is_ok_and(|signature| verifier.verify_prehash(&hash, &signature).is_ok()))
    })
}

pub(super) fn agree(curve: Curve, private: &[u8], public: &[u8]) -> Outcome<Vec<u8>> {
    on!(curve, curve => {
        let private = curve::SecretKey::from_slice(private).map_err(no_private)?;
        let public = curve::PublicKey::from_sec1_bytes(public).map_err(no_public)?;
        let shared = curve::ecdh::diffie_hellman(private.to_nonzero_scalar(), public.as_affine());
        Ok(shared.raw_secret_bytes().to_vec())
    })
}

// ---- Curve25519 ------------------------------------------------------------------------------------

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
/// What stands before the seed in a PKCS#8 private key: an octet string in an octet string.
const SEED_HEAD: [u8; 2] = [4, 32];

fn array(bytes: &[u8]) -> Outcome<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| wrong_data("a key of this curve has 32 bytes"))
}

fn algorithm(params: &Params) -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef {
        oid: if params.algorithm == "Ed25519" {
            ED25519
        } else {
            X25519
        },
        parameters: None,
    }
}

pub(super) fn generate_25519(params: &Params, rng: &mut ChaCha20Rng) -> Outcome<Vec<Vec<u8>>> {
    let mut seed = vec![0; 32];
    rng.fill_bytes(&mut seed);
    let public = public_25519(params, &seed)?;
    Ok(vec![seed, public])
}

pub(super) fn public_25519(params: &Params, key: &[u8]) -> Outcome<Vec<u8>> {
    let seed = array(key)?;
    Ok(match params.algorithm.as_str() {
        "Ed25519" => SigningKey::from_bytes(&seed)
            .verifying_key()
            .to_bytes()
            .to_vec(),
        _ => x25519_dalek::x25519(seed, x25519_dalek::X25519_BASEPOINT_BYTES).to_vec(),
    })
}

pub(super) fn import_25519(params: &Params, bytes: &[u8]) -> Outcome<Vec<u8>> {
    let wrong = || wrong_data("the data is no key of this curve");
    let key = match params.format.as_str() {
        "pkcs8" => {
            let info = PrivateKeyInfo::from_der(bytes).map_err(wrong_data)?;
            let is_ours = info.algorithm == algorithm(params);
            let seed = info.private_key.strip_prefix(&SEED_HEAD);
            array(seed.filter(|_| is_ours).ok_or_else(wrong)?)?
        }
        "spki" => {
            let info = SubjectPublicKeyInfoRef::from_der(bytes).map_err(wrong_data)?;
            let is_ours = info.algorithm == algorithm(params);
            let point = info.subject_public_key.as_bytes();
            array(point.filter(|_| is_ours).ok_or_else(wrong)?)?
        }
        _ => array(bytes)?,
    };
    Ok(key.to_vec())
}

pub(super) fn export_25519(params: &Params, key: &[u8]) -> Outcome<Vec<u8>> {
    if params.is_private() {
        let seed = [&SEED_HEAD, key].concat();
        let info = PrivateKeyInfo::new(algorithm(params), &seed);
        return info.to_der().map_err(operation);
    }
    let info = SubjectPublicKeyInfoRef {
        algorithm: algorithm(params),
        subject_public_key: BitStringRef::from_bytes(key).map_err(operation)?,
    };
    info.to_der().map_err(operation)
}

pub(super) fn sign_25519(key: &[u8], data: &[u8]) -> Outcome<Vec<u8>> {
    Ok(SigningKey::from_bytes(&array(key)?)
        .sign(data)
        .to_bytes()
        .to_vec())
}

pub(super) fn verify_25519(key: &[u8], signature: &[u8], data: &[u8]) -> Outcome<bool> {
    // A key that is no point makes no signature right.
    let key = VerifyingKey::from_bytes(&array(key)?);
    let signature = ed25519_dalek::Signature::from_slice(signature);
    Ok(match (key, signature) {
        (Ok(key), Ok(signature)) => key.verify(data, &signature).is_ok(),
        _ => false,
    })
}

pub(super) fn agree_25519(private: &[u8], public: &[u8]) -> Outcome<Vec<u8>> {
    let shared = x25519_dalek::x25519(array(private)?, array(public)?);
    if shared == [0; 32] {
        return Err(operation("the public key gives no secret"));
    }
    Ok(shared.to_vec())
}
