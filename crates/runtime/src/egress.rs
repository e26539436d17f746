//! Which hosts objects may reach with `fetch`.
//!
//! A host is judged twice: by its name before it is looked up, and by each address that the look-up gives,
//! right before a connection is made to that very address. So a name that resolves to something else the
//! second time gains nothing. By default everything public may be reached, and nothing else.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// What objects may reach.
///
/// A host may be reached if no rule of `deny` covers its name or address; if `allow` is empty or covers
/// its name or address; and if the address is public, covered by an address rule of `allow`, or
/// `allow_private` is set. A name in `allow` does not make a private address reachable, because whoever
/// runs its DNS chooses the address.
///
/// ```
/// use dolmen_runtime::EgressPolicy;
///
/// let policy = EgressPolicy { allow: vec!["*.example.com".parse()?, "10.1.0.0/16".parse()?], ..EgressPolicy::default() };
/// assert!(policy.check_address("api.example.com", [93, 184, 216, 34].into()).is_ok());
/// assert!(policy.check_address("api.example.com", [10, 1, 2, 3].into()).is_ok());
/// assert!(policy.check_address("api.example.com", [10, 2, 2, 3].into()).is_err());
/// assert!(policy.check_address("other.example", [93, 184, 216, 34].into()).is_err());
/// # Ok::<(), dolmen_runtime::InvalidEgressRule>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Whether private, loopback, link-local and other special addresses may be reached. Default: no.
    pub allow_private: bool,
    /// What may be reached; empty: everything.
    pub allow: Vec<EgressRule>,
    /// What may not be reached, whatever `allow` says.
    pub deny: Vec<EgressRule>,
}

static DEFAULT: EgressPolicy = EgressPolicy {
    allow_private: false,
    allow: Vec::new(),
    deny: Vec::new(),
};

impl EgressPolicy {
    /// The default: everything public, nothing else.
    pub fn public_only() -> &'static Self {
        &DEFAULT
    }

    /// Whether a host is worth looking up: its name is not denied, and is allowed or may have an allowed
    /// address. `host` is a name or an address, as it stands in a URL.
    ///
    /// # Errors
    /// Why it may not be reached.
    pub fn check_host(&self, host: &str) -> Result<(), EgressRefusal> {
        let host = bare(host);
        if self.deny.iter().any(|rule| rule.covers_name(host)) {
            return Err(refusal(host, None, Reason::Denied));
        }
        let may_be_allowed = self.allow.is_empty()
            || self
                .allow
                .iter()
                .any(|rule| rule.is_addresses() || rule.covers_name(host));
        match may_be_allowed {
            true => Ok(()),
            false => Err(refusal(host, None, Reason::NotAllowed)),
        }
    }

    /// Whether a connection for `host` may be made to `address`.
    ///
    /// # Errors
    /// Why it may not.
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<(), EgressRefusal> {
        self.check_host(host)?;
        let host = bare(host);
        let refused = |reason| Err(refusal(host, Some(address), reason));
        if self.deny.iter().any(|rule| rule.covers_address(address)) {
            return refused(Reason::Denied);
        }
        let named = self.allow.iter().any(|rule| rule.covers_name(host));
        let addressed = self.allow.iter().any(|rule| rule.covers_address(address));
        if !self.allow.is_empty() && !named && !addressed {
            return refused(Reason::NotAllowed);
        }
        match special(address) {
            Some(kind) if !self.allow_private && !addressed => refused(Reason::Special(kind)),
            _ => Ok(()),
        }
    }
}

/// The name without the brackets of an IPv6 address, and without the dot that ends a full name.
fn bare(host: &str) -> &str {
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

/// One pattern: `*`, `example.com`, `*.example.com` (which leaves out `example.com`), `10.0.0.1` or
/// `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressRule(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    AnyName,
    Name(String),
    /// With its leading dot.
    Suffix(String),
    Addresses(Range),
}

impl EgressRule {
    fn is_addresses(&self) -> bool {
        matches!(self.0, Pattern::Addresses(_))
    }

    fn covers_name(&self, host: &str) -> bool {
        match &self.0 {
            Pattern::AnyName => true,
            Pattern::Name(name) => host.eq_ignore_ascii_case(name),
            Pattern::Suffix(suffix) => {
                host.len() > suffix.len()
                    && host
                        .get(host.len() - suffix.len()..)
                        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
            Pattern::Addresses(range) => host.parse().is_ok_and(|address| range.covers(address)),
        }
    }

    fn covers_address(&self, address: IpAddr) -> bool {
        matches!(&self.0, Pattern::Addresses(range) if range.covers(address))
    }
}

impl FromStr for EgressRule {
    type Err = InvalidEgressRule;

    fn from_str(text: &str) -> Result<Self, InvalidEgressRule> {
        let invalid = |why| {
            Err(InvalidEgressRule {
                rule: text.to_owned(),
                why,
            })
        };
        let address = bare(text);
        if let Ok(address) = address.parse::<IpAddr>() {
            return Ok(Self(Pattern::Addresses(Range::single(address))));
        }
        if let Some((base, prefix)) = address.split_once('/') {
            let Ok(base) = bare(base).parse::<IpAddr>() else {
                return invalid("what stands before `/` is no IP address; a rule has no path");
            };
            let most = if base.is_ipv4() { 32 } else { 128 };
            return match prefix.parse() {
                Ok(prefix) if prefix <= most => {
                    Ok(Self(Pattern::Addresses(Range::new(base, prefix))))
                }
                _ => invalid("a range ends in /0 to /32, or to /128 for IPv6"),
            };
        }
        if text == "*" {
            return Ok(Self(Pattern::AnyName));
        }
        let (is_suffix, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let name = bare(name);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if name.is_empty()
            || !name.bytes().all(fits)
            || name.contains("..")
            || name.starts_with('.')
        {
            return invalid(
                "a rule is a host name, `*.` and a host name, an IP address, or a range such as 10.0.0.0/8; it has no scheme and no port",
            );
        }
        Ok(Self(match is_suffix {
            true => Pattern::Suffix(format!(".{name}")),
            false => Pattern::Name(name.to_owned()),
        }))
    }
}

/// A text that is no [`EgressRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidEgressRule {
    rule: String,
    why: &'static str,
}

impl fmt::Display for InvalidEgressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no rule for hosts: {}", self.rule, self.why)
    }
}

impl std::error::Error for InvalidEgressRule {}

/// Why a host may not be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressRefusal {
    host: String,
    address: Option<IpAddr>,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Denied,
    NotAllowed,
    Special(&'static str),
}

fn refusal(host: &str, address: Option<IpAddr>, reason: Reason) -> EgressRefusal {
    EgressRefusal {
        host: host.to_owned(),
        // An address that is the host itself is not said twice.
        address: address.filter(|address| host.parse() != Ok(*address)),
        reason,
    }
}

impl fmt::Display for EgressRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        if let Some(address) = self.address {
            write!(f, " (at {address})")?;
        }
        match self.reason {
            Reason::Denied => f.write_str(" is denied by --egress"),
            Reason::NotAllowed => f.write_str(" is not among the hosts that --egress names"),
            Reason::Special(kind) => write!(
                f,
                " is {kind} address, which objects may not reach; allow it with --egress ADDRESS, or all of them with --allow-private-network"
            ),
        }
    }
}

impl std::error::Error for EgressRefusal {}

/// Addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    base: IpAddr,
    prefix: u8,
}

impl Range {
    fn single(address: IpAddr) -> Self {
        Self::new(address, 128)
    }

    /// A prefix beyond the address's length means all of it.
    fn new(base: IpAddr, prefix: u8) -> Self {
        Self { base, prefix }
    }

    /// An IPv6 address that maps an IPv4 one is judged as that, too.
    fn covers(&self, address: IpAddr) -> bool {
        match (self.base, address, address.to_canonical()) {
            (IpAddr::V4(base), _, IpAddr::V4(address)) => covers_v4(base, self.prefix, address),
            (IpAddr::V6(base), IpAddr::V6(address), _) => covers_v6(base, self.prefix, address),
            _ => false,
        }
    }
}

fn covers_v4(base: Ipv4Addr, prefix: u8, address: Ipv4Addr) -> bool {
    let mask = u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0);
    (base.to_bits() ^ address.to_bits()) & mask == 0
}

fn covers_v6(base: Ipv6Addr, prefix: u8, address: Ipv6Addr) -> bool {
    let mask = u128::MAX
        .checked_shl(128 - u32::from(prefix.min(128)))
        .unwrap_or(0);
    (base.to_bits() ^ address.to_bits()) & mask == 0
}

const PRIVATE: &str = "a private";
const LOOPBACK: &str = "a loopback";
const LINK_LOCAL: &str = "a link-local";
const MULTICAST: &str = "a multicast";
const UNSPECIFIED: &str = "an unspecified";
const RESERVED: &str = "a reserved";

/// IPv4 that is not public: <https://www.iana.org/assignments/iana-ipv4-special-registry>.
const SPECIAL_V4: [([u8; 4], u8, &str); 15] = [
    ([0, 0, 0, 0], 8, UNSPECIFIED),
    ([10, 0, 0, 0], 8, PRIVATE),
    ([100, 64, 0, 0], 10, "a carrier-grade NAT"),
    ([127, 0, 0, 0], 8, LOOPBACK),
    ([169, 254, 0, 0], 16, LINK_LOCAL),
    ([172, 16, 0, 0], 12, PRIVATE),
    ([192, 0, 0, 0], 24, RESERVED),
    ([192, 0, 2, 0], 24, RESERVED),
    ([192, 88, 99, 0], 24, RESERVED),
    ([192, 168, 0, 0], 16, PRIVATE),
    ([198, 18, 0, 0], 15, RESERVED),
    ([198, 51, 100, 0], 24, RESERVED),
    ([203, 0, 113, 0], 24, RESERVED),
    ([224, 0, 0, 0], 4, MULTICAST),
    ([240, 0, 0, 0], 4, RESERVED),
];

/// IPv6 that is not public: <https://www.iana.org/assignments/iana-ipv6-special-registry>. The more
/// special come first.
const SPECIAL_V6: [(Ipv6Addr, u8, &str); 14] = [
    (Ipv6Addr::UNSPECIFIED, 128, UNSPECIFIED),
    (Ipv6Addr::LOCALHOST, 128, LOOPBACK),
    (v6([0, 0, 0, 0, 0, 0xFFFF]), 96, "an IPv4-mapped"),
    (v6([0; 6]), 96, "an IPv4-compatible"),
    (v6([0x64, 0xFF9B, 1, 0, 0, 0]), 48, PRIVATE),
    (v6([0x100, 0, 0, 0, 0, 0]), 64, RESERVED),
    (v6([0x2001, 0, 0, 0, 0, 0]), 23, RESERVED),
    (v6([0x2001, 0xDB8, 0, 0, 0, 0]), 32, RESERVED),
    (v6([0x2002, 0, 0, 0, 0, 0]), 16, "a 6to4"),
    (v6([0x5F00, 0, 0, 0, 0, 0]), 16, RESERVED),
    (v6([0xFC00, 0, 0, 0, 0, 0]), 7, PRIVATE),
    (v6([0xFE80, 0, 0, 0, 0, 0]), 10, LINK_LOCAL),
    (v6([0xFEC0, 0, 0, 0, 0, 0]), 10, PRIVATE),
    (v6([0xFF00, 0, 0, 0, 0, 0]), 8, MULTICAST),
];

/// What networks with a NAT64 gateway reach IPv4 through: the last four bytes say whom.
const NAT64: Ipv6Addr = v6([0x64, 0xFF9B, 0, 0, 0, 0]);

const fn v6(first: [u16; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = first;
    Ipv6Addr::new(a, b, c, d, e, f, 0, 0)
}

/// What kind of address it is, if it is not public.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => {
            let [.., a, b, c, d] = address.octets();
            let embedded = Ipv4Addr::new(a, b, c, d);
            if covers_v6(NAT64, 96, address) {
                return special_v4(embedded);
            }
            let found = SPECIAL_V6
                .into_iter()
                .find(|(base, prefix, _)| covers_v6(*base, *prefix, address));
            found.map(|(.., kind)| kind)
        }
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let found = SPECIAL_V4
        .into_iter()
        .find(|(base, prefix, _)| covers_v4((*base).into(), *prefix, address));
    found.map(|(.., kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], deny: &[&str]) -> EgressPolicy {
        let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        EgressPolicy {
            allow_private: false,
            allow: rules(allow),
            deny: rules(deny),
        }
    }

    fn reaches(policy: &EgressPolicy, host: &str, address: &str) -> bool {
        policy.check_address(host, address.parse().unwrap()).is_ok()
    }

    #[test]
    fn nonsense_is_no_rule() {
        for text in [
            "",
            "*.",
            "**",
            "a*",
            "*a",
            "http://a",
            "a:80",
            "a/b",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "::/129",
            "10.0.0.0/-1",
            "a..b",
            ".a",
            "a b",
            "é.com",
            "1.2.3.4:80",
            "/8",
        ] {
            let error = text.parse::<EgressRule>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn only_public_addresses_are_reached_by_default() {
        let open = EgressPolicy::default();
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            let error = open.check_address("a.example", address).unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("a.example (at {address}) is a")),
                "{text}"
            );
            assert!(text.contains("--allow-private-network"), "{text}");
        }
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "192.167.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(reaches(&open, "a.example", address), "{address}");
        }
        let private = EgressPolicy {
            allow_private: true,
            ..open
        };
        assert!(
            reaches(&private, "localhost", "127.0.0.1")
                && reaches(&private, "a", "::ffff:10.0.0.1")
        );
    }

    #[test]
    fn an_address_rule_opens_its_range_and_a_name_does_not() {
        let some = policy(&["10.0.0.0/8", "localhost", "*"], &[]);
        assert!(
            reaches(&some, "a.example", "10.2.3.4")
                && reaches(&some, "a.example", "::ffff:10.2.3.4")
        );
        assert!(reaches(&some, "10.2.3.4", "10.2.3.4") && reaches(&some, "a.example", "8.8.8.8"));
        assert!(
            !reaches(&some, "localhost", "127.0.0.1")
                && !reaches(&some, "a.example", "192.168.0.1")
        );
        let v6 = policy(&["[fd00::1]", "fd01::/16"], &[]);
        assert!(reaches(&v6, "[fd00::1]", "fd00::1") && reaches(&v6, "x", "fd01:5::"));
        assert!(!reaches(&v6, "x", "fd00::2"));
    }

    #[test]
    fn names_that_are_not_allowed_are_not_even_looked_up() {
        let some = policy(&["example.com", "*.example.org"], &[]);
        for (host, is_allowed) in [
            ("example.com", true),
            ("EXAMPLE.com.", true),
            ("www.example.com", false),
            ("a.b.example.org", true),
            ("example.org", false),
            ("badexample.org", false),
            ("example.org.evil", false),
            ("8.8.8.8", false),
        ] {
            assert_eq!(some.check_host(host).is_ok(), is_allowed, "{host}");
            assert_eq!(reaches(&some, host, "8.8.8.8"), is_allowed, "{host}");
        }
        let error = some.check_host("other").unwrap_err().to_string();
        assert_eq!(error, "other is not among the hosts that --egress names");
        // With an address rule the name has to be looked up to know.
        assert!(policy(&["10.0.0.0/8"], &[]).check_host("other").is_ok());
    }

    #[test]
    fn deny_comes_first() {
        let mut some = policy(&["*"], &["*.evil.example", "8.8.0.0/16", "169.254.169.254"]);
        some.allow_private = true;
        assert!(!reaches(&some, "a.evil.example", "1.1.1.1") && !reaches(&some, "a", "8.8.8.8"));
        assert!(
            !reaches(&some, "a", "::ffff:169.254.169.254") && !reaches(&some, "8.8.1.1", "8.8.1.1")
        );
        assert!(reaches(&some, "a", "10.0.0.1"));
        let error = some.check_host("8.8.8.8").unwrap_err().to_string();
        assert_eq!(error, "8.8.8.8 is denied by --egress");
    }
}
