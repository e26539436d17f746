//! URL patterns: the native half of `glue/web/url_pattern.js`, over the `urlpattern` crate.
//!
//! The crate makes regular expressions of patterns; the engine runs them.

use rquickjs::{Array, Ctx, Exception, Object, Result, prelude::Func};
use urlpattern::{
    RegexSyntax, UrlPatternOptions,
    quirks::{self, EcmaRegexp, MatchInput, StringOrInit, UrlPatternInit},
};

/// A pattern or an input: one text, or the nine members of an object in the order of `url_pattern.js`.
type Given = Vec<Option<String>>;

/// Adds the functions to `native`.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("parsePattern", Func::from(parse))?;
    native.set("partsOfInput", Func::from(parts))
}

fn given(mut given: Given) -> StringOrInit<'static> {
    if given.len() == 1 {
        return StringOrInit::String(given.remove(0).unwrap_or_default().into());
    }
    let mut members = given.into_iter();
    let mut next = || members.next().flatten();
    StringOrInit::Init(UrlPatternInit {
        protocol: next(),
        username: next(),
        password: next(),
        hostname: next(),
        port: next(),
        pathname: next(),
        search: next(),
        hash: next(),
        base_url: next(),
    })
}

fn invalid(ctx: &Ctx<'_>, error: impl std::fmt::Display) -> rquickjs::Error {
    Exception::throw_type(ctx, &format!("Invalid URLPattern: {error}"))
}

/// For each component its pattern, its regular expression and the names of its groups; then whether the
/// pattern has groups with regular expressions.
fn parse(
    ctx: Ctx<'_>,
    pattern: Given,
    base: Option<String>,
    ignore_case: bool,
) -> Result<Array<'_>> {
    let init = quirks::process_construct_pattern_input(given(pattern), base.as_deref())
        .map_err(|error| invalid(&ctx, error))?;
    let options = UrlPatternOptions {
        regex_syntax: RegexSyntax::EcmaScript,
        ignore_case,
    };
    let pattern =
        quirks::parse_pattern::<EcmaRegexp>(init, options).map_err(|error| invalid(&ctx, error))?;
    let components = [
        pattern.protocol,
        pattern.username,
        pattern.password,
        pattern.hostname,
        pattern.port,
        pattern.pathname,
        pattern.search,
        pattern.hash,
    ];
    let list = Array::new(ctx.clone())?;
    for (position, component) in components.into_iter().enumerate() {
        let entry = Array::new(ctx.clone())?;
        entry.set(0, component.pattern_string)?;
        entry.set(1, component.regexp_string)?;
        entry.set(2, component.group_name_list)?;
        list.set(position, entry)?;
    }
    list.set(8, pattern.has_regexp_groups)?;
    Ok(list)
}

/// The components of a URL to be matched, or nothing if it is none.
fn parts(ctx: Ctx<'_>, input: Given, base: Option<String>) -> Result<Option<Vec<String>>> {
    let processed = quirks::process_match_input(given(input), base.as_deref())
        .map_err(|error| invalid(&ctx, error))?;
    let parsed = processed.and_then(|(input, _)| quirks::parse_match_input(input));
    Ok(parsed.map(|parsed| {
        let MatchInput {
            protocol,
            username,
            password,
            hostname,
            port,
            pathname,
            search,
            hash,
        } = parsed;
        vec![
            protocol, username, password, hostname, port, pathname, search, hash,
        ]
    }))
}
