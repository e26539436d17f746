//! How a connection begins: RFC 6455, section 4, and the offers of RFC 7692.

use http::{
    HeaderMap, HeaderValue, Method, Version,
    header::{
        CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const VERSION: &str = "13";
const DEFLATE: &str = "permessage-deflate";
/// What both sides agree to: no state that outlives a message.
const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// What was agreed on besides the protocol itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Messages may be compressed.
    pub deflate: bool,
}

/// Why a handshake fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The request does not ask for a WebSocket.
    #[error("this needs a WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`")]
    NotAnUpgrade,
    /// Another version than 13.
    #[error("WebSocket version 13 is the only one: send `Sec-WebSocket-Version: 13`")]
    Version,
    /// The key is not 16 bytes in base64.
    #[error("`Sec-WebSocket-Key` must be 16 bytes in base64")]
    Key,
    /// The server's answer does not belong to the request.
    #[error("the server's answer to the WebSocket handshake has {0}")]
    Answer(&'static str),
}

/// Whether a request asks for a WebSocket, rightly or not.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &UPGRADE, "websocket")
}

/// Checks a request for a WebSocket; gives the headers of the 101 answer and what was agreed on.
/// The sub-protocol is the application's to choose.
///
/// # Errors
/// What is wrong with the request.
pub fn accept(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
) -> Result<(HeaderMap, Extensions), HandshakeError> {
    if method != Method::GET
        || version < Version::HTTP_11
        || !is_upgrade(headers)
        || !has_token(headers, &CONNECTION, "upgrade")
    {
        return Err(HandshakeError::NotAnUpgrade);
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        return Err(HandshakeError::Version);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?;
    let decoded = base64_simd::STANDARD.decode_to_vec(key);
    if decoded.map_or(true, |key| key.len() != 16) {
        return Err(HandshakeError::Key);
    }
    let extensions = Extensions {
        deflate: offers(headers).any(|offer| offer.is_acceptable()),
    };
    let mut answer = HeaderMap::with_capacity(4);
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(SEC_WEBSOCKET_ACCEPT, accepted(key));
    if extensions.deflate {
        answer.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(AGREED));
    }
    Ok((answer, extensions))
}

/// The headers of a request for a WebSocket, and its key for [`verify_accepted`].
///
/// # Errors
/// If the system has no randomness.
pub fn client_headers(deflate: bool) -> Result<(HeaderMap, String), getrandom::Error> {
    let mut key = [0; 16];
    getrandom::fill(&mut key)?;
    let key = base64_simd::STANDARD.encode_to_string(key);
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    if let Ok(key) = HeaderValue::from_str(&key) {
        headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    if deflate {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(AGREED));
    }
    Ok((headers, key))
}

/// Checks the headers of a 101 answer to a request that `asked` for these sub-protocols and
/// offered compression if `deflate`.
///
/// # Errors
/// What does not belong to the request.
pub fn verify_accepted(
    headers: &HeaderMap,
    key: &str,
    asked: &HeaderMap,
    deflate: bool,
) -> Result<Extensions, HandshakeError> {
    let wrong = |what| Err(HandshakeError::Answer(what));
    if !is_upgrade(headers) || !has_token(headers, &CONNECTION, "upgrade") {
        return wrong("no `Upgrade: websocket`");
    }
    if headers.get(SEC_WEBSOCKET_ACCEPT) != Some(&accepted(key)) {
        return wrong("another `Sec-WebSocket-Accept` than it should");
    }
    if let Some(chosen) = headers.get(SEC_WEBSOCKET_PROTOCOL) {
        let is_asked = chosen
            .to_str()
            .is_ok_and(|chosen| tokens(asked, &SEC_WEBSOCKET_PROTOCOL).any(|one| one == chosen));
        if !is_asked {
            return wrong("a sub-protocol that was not asked for");
        }
    }
    let mut agreed = offers(headers);
    match (agreed.next(), agreed.next()) {
        (None, _) => Ok(Extensions::default()),
        (Some(offer), None) if deflate && offer.is_agreed() => Ok(Extensions { deflate: true }),
        _ => wrong("extensions that were not offered"),
    }
}

/// Whether `protocol` may stand in `Sec-WebSocket-Protocol`.
pub fn is_valid_protocol(protocol: &str) -> bool {
    !protocol.is_empty()
        && protocol
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
}

fn accepted(key: &str) -> HeaderValue {
    let digest = Sha1::new()
        .chain_update(key.as_bytes())
        .chain_update(GUID)
        .finalize();
    HeaderValue::from_str(&base64_simd::STANDARD.encode_to_string(digest))
        .unwrap_or(HeaderValue::from_static(""))
}

/// One extension with its parameters, as a header names it.
struct Offer<'h> {
    name: &'h str,
    parameters: Vec<(&'h str, Option<&'h str>)>,
}

impl Offer<'_> {
    /// Whether a server can take it and have no context takeover. A client may forbid any state
    /// at the server, but not ask for a smaller window than the compressor has.
    fn is_acceptable(&self) -> bool {
        let mut seen = Vec::new();
        self.name == DEFLATE
            && self.parameters.iter().all(|(name, value)| {
                let is_first = !seen.contains(name);
                seen.push(*name);
                is_first
                    && match *name {
                        "server_no_context_takeover" | "client_no_context_takeover" => {
                            value.is_none()
                        }
                        "client_max_window_bits" => value.is_none_or(is_window),
                        _ => false,
                    }
            })
    }

    /// Whether a server's answer is what a client offered: both sides without context takeover.
    fn is_agreed(&self) -> bool {
        let has = |wanted| self.parameters.iter().any(|(name, _)| *name == wanted);
        self.name == DEFLATE
            && has("server_no_context_takeover")
            && self.parameters.iter().all(|(name, value)| match *name {
                "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
                "server_max_window_bits" => value.is_some_and(is_window),
                _ => false,
            })
    }
}

fn is_window(value: &str) -> bool {
    value
        .parse::<u8>()
        .is_ok_and(|bits| (8..=15).contains(&bits))
        && !value.starts_with('0')
}

fn offers(headers: &HeaderMap) -> impl Iterator<Item = Offer<'_>> {
    tokens(headers, &SEC_WEBSOCKET_EXTENSIONS).map(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        Offer {
            name: parts.next().unwrap_or_default(),
            parameters: parts
                .map(|part| match part.split_once('=') {
                    Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                    None => (part, None),
                })
                .collect(),
        }
    })
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().map(str::trim),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn try_accept(
        pairs: &[(&'static str, &str)],
    ) -> Result<(HeaderMap, Extensions), HandshakeError> {
        accept(&Method::GET, Version::HTTP_11, &headers(pairs))
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let (answer, extensions) = try_accept(&GOOD).unwrap();
        assert_eq!(
            answer["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert!(!extensions.deflate && !answer.contains_key("sec-websocket-extensions"));
    }

    #[test]
    fn what_is_no_handshake_is_refused_by_name() {
        let without = |name: &str| -> Vec<_> {
            GOOD.into_iter()
                .filter(|(header, _)| *header != name)
                .collect()
        };
        let with = |name: &'static str, value: &'static str| {
            let mut pairs = without(name);
            pairs.push((name, value));
            pairs
        };
        for (pairs, expected) in [
            (without("upgrade"), HandshakeError::NotAnUpgrade),
            (without("connection"), HandshakeError::NotAnUpgrade),
            (with("upgrade", "h2c"), HandshakeError::NotAnUpgrade),
            (without("sec-websocket-version"), HandshakeError::Version),
            (with("sec-websocket-version", "8"), HandshakeError::Version),
            (without("sec-websocket-key"), HandshakeError::Key),
            (with("sec-websocket-key", "short"), HandshakeError::Key),
            (with("sec-websocket-key", "AAAA"), HandshakeError::Key),
        ] {
            assert_eq!(try_accept(&pairs).unwrap_err(), expected, "{pairs:?}");
        }
        let good = headers(&GOOD);
        assert!(accept(&Method::POST, Version::HTTP_11, &good).is_err());
        assert!(accept(&Method::GET, Version::HTTP_10, &good).is_err());
    }

    #[test]
    fn compression_is_agreed_on_only_without_lasting_state() {
        for (offered, taken) in [
            ("permessage-deflate", true),
            ("permessage-deflate; client_max_window_bits", true),
            (
                "x-other, permessage-deflate; client_max_window_bits=10",
                true,
            ),
            ("permessage-deflate; server_no_context_takeover", true),
            ("permessage-deflate; server_max_window_bits=9", false),
            (
                "permessage-deflate; server_max_window_bits=9, permessage-deflate",
                true,
            ),
            ("permessage-deflate; client_max_window_bits=7", false),
            ("permessage-deflate; unknown", false),
            (
                "permessage-deflate; client_max_window_bits; client_max_window_bits",
                false,
            ),
            ("x-webkit-deflate-frame", false),
        ] {
            let mut pairs = GOOD.to_vec();
            pairs.push(("sec-websocket-extensions", offered));
            let (answer, extensions) = try_accept(&pairs).unwrap();
            assert_eq!(extensions.deflate, taken, "{offered}");
            assert_eq!(
                answer.contains_key("sec-websocket-extensions"),
                taken,
                "{offered}"
            );
        }
    }

    #[test]
    fn a_client_knows_its_answer() {
        let (asked, key) = client_headers(true).unwrap();
        let mut asked = asked;
        asked.insert("sec-websocket-protocol", HeaderValue::from_static("a, b"));
        let (answer, _) = accept(&Method::GET, Version::HTTP_11, &asked).unwrap();
        let verify = |answer: &HeaderMap| verify_accepted(answer, &key, &asked, true);
        assert_eq!(verify(&answer), Ok(Extensions { deflate: true }));
        for (name, value, fine) in [
            ("sec-websocket-protocol", "b", true),
            ("sec-websocket-protocol", "c", false),
            (
                "sec-websocket-accept",
                "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                false,
            ),
            ("upgrade", "h2c", false),
            ("sec-websocket-extensions", "permessage-deflate", false),
            ("sec-websocket-extensions", "x-other", false),
        ] {
            let mut answer = answer.clone();
            answer.insert(name, value.parse().unwrap());
            assert_eq!(verify(&answer).is_ok(), fine, "{name}: {value}");
        }
        assert!(
            verify_accepted(&answer, &key, &asked, false).is_err(),
            "it was not offered"
        );
    }

    #[test]
    fn protocols_are_tokens() {
        assert!(is_valid_protocol("chat.v1") && is_valid_protocol("a'b"));
        for bad in ["", "a b", "a,b", "a/b", "ü", "a\t"] {
            assert!(!is_valid_protocol(bad), "{bad:?}");
        }
    }
}
