//! Parsing and changing URLs: the native half of `glue/web/url.js`, over the `url` crate.

use rquickjs::{
    Array, Ctx, Object, Result, String as JsString,
    prelude::{Func, Opt},
};
use url::{Position, Url, form_urlencoded, quirks};

use crate::value_format;

/// Adds the functions to `native`.
pub(super) fn native(native: &Object<'_>) -> Result<()> {
    native.set("parseUrl", Func::from(parse))?;
    native.set("absoluteUrl", Func::from(absolute))?;
    native.set("changeUrl", Func::from(change))?;
    native.set("parseQuery", Func::from(parse_query))?;
    native.set("formatQuery", Func::from(format_query))
}

fn text<'js>(ctx: &Ctx<'js>, text: &JsString<'js>) -> Result<String> {
    let bytes = value_format::utf8(ctx, text)?;
    Ok(String::from_utf8(bytes).expect("the engine's text without surrogates is UTF-8"))
}

/// The parts of a URL, or nothing if it is none.
fn parse<'js>(
    ctx: Ctx<'js>,
    input: JsString<'js>,
    base: Opt<Option<JsString<'js>>>,
) -> Result<Option<Array<'js>>> {
    let input = text(&ctx, &input)?;
    let base = match base.0.flatten() {
        Some(base) => match Url::parse(&text(&ctx, &base)?) {
            Ok(base) => Some(base),
            Err(_) => return Ok(None),
        },
        None => None,
    };
    match Url::options().base_url(base.as_ref()).parse(&input) {
        Ok(url) => parts(&ctx, &url).map(Some),
        Err(_) => Ok(None),
    }
}

/// The text of an absolute URL, or nothing if it is none.
fn absolute<'js>(ctx: Ctx<'js>, input: JsString<'js>) -> Result<Option<String>> {
    let input = text(&ctx, &input)?;
    Ok(Url::parse(&input).ok().map(String::from))
}

/// The text, then the places that `url.js` names. Every serialized URL is ASCII, so places in the bytes
/// are places in the text.
fn parts<'js>(ctx: &Ctx<'js>, url: &Url) -> Result<Array<'js>> {
    let place = |position: Position| url[..position].len() as i32;
    let places = [
        place(Position::AfterScheme),
        place(Position::AfterUsername),
        place(Position::BeforeHost),
        place(Position::AfterHost),
        url.port().map_or(-1, i32::from),
        place(Position::BeforePath),
        place(Position::AfterPath),
        place(Position::AfterQuery),
    ];
    let parts = Array::new(ctx.clone())?;
    parts.set(0, url.as_str())?;
    for (position, place) in places.into_iter().enumerate() {
        parts.set(position + 1, place)?;
    }
    Ok(parts)
}

/// The parts of the URL after one of its setters, or nothing if that changes nothing.
fn change<'js>(
    ctx: Ctx<'js>,
    href: JsString<'js>,
    part: String,
    value: JsString<'js>,
) -> Result<Option<Array<'js>>> {
    let mut url = Url::parse(&text(&ctx, &href)?).expect("it was parsed before");
    let value = text(&ctx, &value)?;
    let changed = match part.as_str() {
        "href" => quirks::set_href(&mut url, &value).is_ok(),
        "protocol" => quirks::set_protocol(&mut url, &value).is_ok(),
        "username" => quirks::set_username(&mut url, &value).is_ok(),
        "password" => quirks::set_password(&mut url, &value).is_ok(),
        "host" => quirks::set_host(&mut url, &value).is_ok(),
        "hostname" => quirks::set_hostname(&mut url, &value).is_ok(),
        "port" => quirks::set_port(&mut url, &value).is_ok(),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            true
        }
        "search" => {
            quirks::set_search(&mut url, &value);
            true
        }
        "hash" => {
            quirks::set_hash(&mut url, &value);
            true
        }
        _ => unreachable!("url.js changes only these parts"),
    };
    changed.then(|| parts(&ctx, &url)).transpose()
}

/// Names and values in turn.
fn parse_query<'js>(ctx: Ctx<'js>, query: JsString<'js>) -> Result<Array<'js>> {
    let query = value_format::utf8(&ctx, &query)?;
    let flat = Array::new(ctx)?;
    for (position, (name, value)) in form_urlencoded::parse(&query).enumerate() {
        flat.set(position * 2, &*name)?;
        flat.set(position * 2 + 1, &*value)?;
    }
    Ok(flat)
}

fn format_query<'js>(ctx: Ctx<'js>, flat: Vec<JsString<'js>>) -> Result<String> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for pair in flat.chunks_exact(2) {
        query.append_pair(&text(&ctx, &pair[0])?, &text(&ctx, &pair[1])?);
    }
    Ok(query.finish())
}
