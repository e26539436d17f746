//! What `env` has beside the namespaces: variables, entrypoints of the same worker, and names that
//! stand for what Dolmen does not have.

use std::sync::Arc;

use rquickjs::{Array, Ctx, Exception, Function, JsLifetime, Object, Value};

use crate::web::glue::Glue;

/// Longest name of a binding in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Most bindings of a bundle: each instance gets all of them.
const MAX_BINDINGS: usize = 1_000;
/// Longest text or JSON of a variable in bytes.
const MAX_VALUE_BYTES: usize = 64 << 10;

static GLUE: Glue = Glue::new("dolmen:bindings.js", include_str!("../glue/bindings.js"));

/// One member of `env`.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// A variable: a string stays one, other values are as JSON has them. In `process.env`, too,
    /// there as text.
    Var(serde_json::Value),
    /// An export of the same worker, `default` or a class that extends `WorkerEntrypoint`, with the
    /// `ctx.props` that it gets.
    Entrypoint {
        /// The export's name.
        name: String,
        /// `ctx.props` of its calls.
        props: Option<serde_json::Value>,
    },
    /// One more name of the namespace with this name.
    Namespace(String),
    /// Something that Dolmen does not have: using it throws an error that says so.
    Absent {
        /// What it is, such as `kv_namespaces`.
        kind: String,
    },
}

/// Bindings by name, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bindings(Vec<(String, Binding)>);

impl Bindings {
    /// Adds one, or replaces a variable by another.
    ///
    /// # Errors
    /// What is wrong with it: an empty or too long name (128 bytes), a name that something else has,
    /// a value over 64 KiB, or more than 1,000 bindings.
    pub fn add(&mut self, name: &str, binding: Binding) -> Result<(), String> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(char::is_control) {
            return Err(format!(
                "{name:?} cannot name a member of `env`: it has 1 to {MAX_NAME_BYTES} bytes and no control characters"
            ));
        }
        if let Binding::Var(value) = &binding {
            let bytes = text(value).len();
            if bytes > MAX_VALUE_BYTES {
                return Err(format!(
                    "the variable {name} has {bytes} bytes; at most {MAX_VALUE_BYTES} are allowed"
                ));
            }
        }
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| known == name) {
            if !matches!((&*known, &binding), (Binding::Var(_), Binding::Var(_))) {
                return Err(format!("{name} is bound twice"));
            }
            *known = binding;
            return Ok(());
        }
        if self.0.len() >= MAX_BINDINGS {
            return Err(format!("there are more than {MAX_BINDINGS} bindings"));
        }
        self.0.push((name.to_owned(), binding));
        Ok(())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Binding)> {
        self.0
            .iter()
            .map(|(name, binding)| (name.as_str(), binding))
    }
}

impl Binding {
    /// A variable as text: a string is itself, other values are JSON. `None` for what is no variable.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Var(value) => Some(text(value)),
            _ => None,
        }
    }
}

/// A variable as text: a string is itself, other values are JSON.
fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn to_js<'js>(ctx: &Ctx<'js>, value: &serde_json::Value) -> rquickjs::Result<Value<'js>> {
    ctx.json_parse(value.to_string())
}

/// Gives the bindings to the glue as a list of `[kind, name, value, props]`.
pub(crate) fn list<'js>(ctx: &Ctx<'js>, bindings: &Bindings) -> rquickjs::Result<Array<'js>> {
    let list = Array::new(ctx.clone())?;
    for (index, (name, binding)) in bindings.iter().enumerate() {
        let entry = Array::new(ctx.clone())?;
        let kind = match binding {
            Binding::Var(value) => {
                entry.set(2, to_js(ctx, value)?)?;
                "var"
            }
            Binding::Entrypoint { name, props } => {
                entry.set(2, name.as_str())?;
                if let Some(props) = props {
                    entry.set(3, to_js(ctx, props)?)?;
                }
                "entrypoint"
            }
            Binding::Namespace(other) => {
                entry.set(2, other.as_str())?;
                "namespace"
            }
            Binding::Absent { kind } => {
                entry.set(2, kind.as_str())?;
                "absent"
            }
        };
        entry.set(0, kind)?;
        entry.set(1, name)?;
        list.set(index, entry)?;
    }
    Ok(list)
}

/// The function `(env, list, entrypoint)` that adds the bindings of [`list`] to an `env`.
pub(crate) fn adder<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    GLUE.run(ctx, Object::new(ctx.clone())?)
}

struct Stored(Arc<Bindings>);

// SAFETY: there is nothing of `'js` inside.
unsafe impl<'js> JsLifetime<'js> for Stored {
    type Changed<'to> = Stored;
}

/// Keeps the bindings for `process.env` of this context.
pub(crate) fn store(ctx: &Ctx<'_>, bindings: &Arc<Bindings>) -> rquickjs::Result<()> {
    match ctx.store_userdata(Stored(bindings.clone())) {
        Ok(_) => Ok(()),
        Err(error) => Err(Exception::throw_message(ctx, &error.to_string())),
    }
}

/// The variables as text, for `process.env`.
pub(crate) fn process_natives<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> rquickjs::Result<()> {
    let vars = Array::new(ctx.clone())?;
    if let Some(stored) = ctx.userdata::<Stored>() {
        let found = stored.0.iter().filter_map(|(name, binding)| match binding {
            Binding::Var(value) => Some([name.to_owned(), text(value)]),
            _ => None,
        });
        for (index, pair) in found.enumerate() {
            vars.set(index, pair.to_vec())?;
        }
    }
    native.set("vars", vars)
}
