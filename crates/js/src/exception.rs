//! From what JavaScript threw to the runtime's error, and back.

use dolmen_runtime::{Error, ErrorKind};
use rquickjs::{Ctx, Exception, FromJs, Object, Value, atom::PredefinedAtom};

/// The name under which QuickJS reports that a heap is full.
const OUT_OF_MEMORY: &str = "out of memory";

/// What user code threw, read while the context still has it.
pub(crate) enum Thrown {
    /// A value; the instance goes on.
    Exception(Error),
    /// The heap is full: the instance cannot be trusted to go on.
    OutOfMemory,
}

impl Thrown {
    /// Takes the pending exception of `ctx` and describes it as an error of `kind`.
    pub fn take(ctx: &Ctx<'_>, kind: ErrorKind, error: rquickjs::Error) -> Self {
        if matches!(error, rquickjs::Error::Allocation) {
            return Self::OutOfMemory;
        }
        if !error.is_exception() {
            return Self::Exception(Error::new(kind, error.to_string()));
        }
        Self::describe(ctx.catch(), kind)
    }

    /// Describes a thrown value, or the reason of a rejected promise.
    pub fn describe(value: Value<'_>, kind: ErrorKind) -> Self {
        // QuickJS throws null when it has no memory left for an error object.
        if value.is_null() {
            return Self::OutOfMemory;
        }
        // A DOMException is an error without being one of the engine's own.
        let is_error = |object: &&Object<'_>| {
            object.is_error() || text(object, PredefinedAtom::Message).is_some()
        };
        let Some(object) = value.as_object().filter(is_error) else {
            return Self::Exception(Error::new(
                kind,
                format!("a value that is not an Error was thrown: {}", brief(&value)),
            ));
        };
        let name = text(object, PredefinedAtom::Name).unwrap_or_else(|| "Error".to_owned());
        let message = text(object, PredefinedAtom::Message).unwrap_or_default();
        if name == "InternalError" && message == OUT_OF_MEMORY {
            return Self::OutOfMemory;
        }
        let shown = match (name.as_str(), message.as_str()) {
            ("Error", "") => "Error".to_owned(),
            ("Error", message) => message.to_owned(),
            (name, "") => name.to_owned(),
            (name, message) => format!("{name}: {message}"),
        };
        let error = Error::new(kind, shown);
        Self::Exception(match text(object, PredefinedAtom::Stack) {
            Some(stack) if !stack.is_empty() => error.with_detail(stack),
            _ => error,
        })
    }
}

fn text(object: &Object<'_>, key: PredefinedAtom) -> Option<String> {
    object
        .get::<_, Value<'_>>(key)
        .ok()?
        .as_string()?
        .to_string()
        .ok()
}

/// A short rendering of any value that runs no user code.
fn brief(value: &Value<'_>) -> String {
    /// Most characters of a thrown string that are shown.
    const SHOWN: usize = 200;
    if let Some(string) = value.as_string() {
        let mut shown: String = string
            .to_string()
            .unwrap_or_default()
            .chars()
            .take(SHOWN)
            .collect();
        shown.insert(0, '"');
        shown.push('"');
        return shown;
    }
    if let Some(number) = value.as_number() {
        return number.to_string();
    }
    match value.as_bool() {
        Some(boolean) => boolean.to_string(),
        None => value.type_name().to_owned(),
    }
}

/// Logs what nobody caught; `what` is `uncaught`, perhaps with where.
pub(crate) fn log_uncaught(object: &str, what: &str, error: &Error) {
    let stack = error.detail().map(|stack| format!("\n{stack}"));
    let stack = stack.unwrap_or_default();
    tracing::error!(target: "console", object = %object, "{what}: {}{stack}", error.message());
}

/// Throws the runtime's error inside JavaScript, with its kind's code as `code`.
pub(crate) fn throw(ctx: &Ctx<'_>, error: &Error) -> rquickjs::Error {
    let thrown = Exception::from_message(ctx.clone(), error.message());
    match thrown {
        Ok(exception) => {
            // Without the property the message still says it all.
            let _ = exception.set("code", error.kind().code());
            exception.throw()
        }
        Err(error) => error,
    }
}

/// Throws a storage error: a `TypeError` for bad input, an `Error` otherwise.
pub(crate) fn throw_storage(
    ctx: &Ctx<'_>,
    error: &dolmen_runtime::storage::Error,
) -> rquickjs::Error {
    use dolmen_runtime::storage::ErrorKind;
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Limit => Exception::throw_type(ctx, &error.to_string()),
        _ => Exception::throw_message(ctx, &error.to_string()),
    }
}

/// Reads an optional member of an options object.
pub(crate) fn option<'js, T: FromJs<'js>>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    name: &str,
    wanted: &str,
) -> rquickjs::Result<Option<T>> {
    let value: Value<'js> = object.get(name)?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    T::from_js(ctx, value)
        .map(Some)
        .map_err(|_| Exception::throw_type(ctx, &format!("option {name} must be {wanted}")))
}
