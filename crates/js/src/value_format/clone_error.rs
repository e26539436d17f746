//! `DataCloneError`s with V8's texts.

use rquickjs::{Error, Result};

use super::engine::{Engine, Held, Key, Kind, Raw, class};

/// Throws "... could not be cloned." about `value`.
pub(super) fn not_cloneable(engine: Engine<'_>, value: Raw) -> Error {
    match describe(engine, value) {
        Ok(text) => throw(engine, &format!("{text} could not be cloned.")),
        Err(error) => error,
    }
}

/// Throws that objects of this class do not travel in messages.
pub(super) fn no_support(engine: Engine<'_>, object: Raw) -> Error {
    let text = (|| {
        let constructor = engine.get(object, Key::CONSTRUCTOR)?;
        let name = if engine.is_function(constructor.raw()) {
            let name = engine.get(constructor.raw(), Key::NAME)?;
            lossy(engine, engine.to_string(name.raw())?.raw())?
        } else {
            "Object".to_owned()
        };
        Ok(format!(
            "Could not serialize object of type \"{name}\". This type does not support serialization."
        ))
    })();
    match text {
        Ok(text) => throw(engine, &text),
        Err(error) => error,
    }
}

pub(super) fn detached(engine: Engine<'_>) -> Error {
    throw(
        engine,
        "An ArrayBuffer is detached and could not be cloned.",
    )
}

/// Throws a `DataCloneError` with this message.
pub(super) fn throw(engine: Engine<'_>, message: &str) -> Error {
    match new(engine, message) {
        Ok(exception) => engine.throw(exception),
        Err(error) => error,
    }
}

fn new<'a>(engine: Engine<'a>, message: &str) -> Result<Held<'a>> {
    let message = engine.string(message)?;
    let name = engine.string("DataCloneError")?;
    engine.construct(class::DOM_EXCEPTION, &[message.raw(), name.raw()])
}

/// How V8 names a value in its messages (`Object::NoSideEffectsToString`).
fn describe(engine: Engine<'_>, value: Raw) -> Result<String> {
    match value.kind() {
        Kind::Symbol => {
            let description = engine.get_named(value, "description")?;
            let text = if description.raw().is_undefined() {
                String::new()
            } else {
                lossy(engine, description.raw())?
            };
            Ok(format!("Symbol({text})"))
        }
        Kind::Object(class::PROXY) => Ok("#<Object>".to_owned()),
        Kind::Object(_) if engine.is_function(value) => {
            let to_string = engine.get_named(engine.function_prototype()?.raw(), "toString")?;
            let source = engine.call(to_string.raw(), value, &[])?;
            lossy(engine, source.raw())
        }
        Kind::Object(_) => describe_object(engine, value),
        _ => lossy(engine, engine.to_string(value)?.raw()),
    }
}

fn describe_object(engine: Engine<'_>, object: Raw) -> Result<String> {
    let constructor = engine.get(object, Key::CONSTRUCTOR)?;
    if engine.is_function(constructor.raw()) {
        let name = engine.get(constructor.raw(), Key::NAME)?;
        let name = lossy(engine, engine.to_string(name.raw())?.raw())?;
        if !name.is_empty() {
            return Ok(format!("#<{name}>"));
        }
    }
    let tag = engine.get(object, Key::TO_STRING_TAG)?;
    let tag = match tag.raw().kind() {
        Kind::String => lossy(engine, tag.raw())?,
        _ => "Object".to_owned(),
    };
    Ok(format!("[object {tag}]"))
}

pub(super) fn lossy(engine: Engine<'_>, string: Raw) -> Result<String> {
    engine.with_text(string, |text| String::from_utf8_lossy(text).into_owned())
}
