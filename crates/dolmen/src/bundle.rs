//! What objects are made of, loaded and checked: JavaScript, or a WASM module; a file's bytes say which.

use std::{path::Path, sync::Arc};

use dolmen_js::{Bindings, JsEngine};
use dolmen_runtime::Engine;
use dolmen_wasm::{Cache, WasmEngine};

use crate::error::{Error, ErrorKind, Result};

/// Largest bundle file, in bytes.
const MAX_BUNDLE_BYTES: u64 = 64 << 20;

/// A compiled module worker, CommonJS bundle or WASM module. Cheap to clone.
#[derive(Clone)]
pub struct Bundle {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Js(Arc<JsEngine>),
    /// With the bindings that it was loaded with, of which a module can have none.
    Wasm(Arc<WasmEngine>, Bindings),
}

impl Bundle {
    /// Loads a bundle from a file.
    ///
    /// # Errors
    /// `Bundle` if it cannot be read, has a syntax error (with file, line, column and the source
    /// line), throws while it loads, or exports no class.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file_with(path, Bindings::default())
    }

    /// As [`Bundle::from_file`], with variables and more in `env`, which the top level of a module
    /// worker sees, too.
    ///
    /// # Errors
    /// As [`Bundle::from_file`].
    pub fn from_file_with(path: impl AsRef<Path>, bindings: Bindings) -> Result<Self> {
        Self::from_file_cached(path, bindings, None)
    }

    /// As [`Bundle::from_file_with`]. The compiled code of a WASM module, and of those that a module
    /// worker imports, is kept in the folder
    /// `compiled`, which must be this user's alone, and taken from there the next time.
    ///
    /// # Errors
    /// As [`Bundle::from_file`], and `Bundle` if the folder cannot be used.
    pub fn from_file_cached(
        path: impl AsRef<Path>,
        bindings: Bindings,
        compiled: Option<&Path>,
    ) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display();
        let unreadable = |error| {
            Error::because(
                ErrorKind::Bundle,
                format!("the bundle {shown} cannot be read: {error}"),
                error,
            )
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_BUNDLE_BYTES {
            return Err(Error::new(
                ErrorKind::Bundle,
                format!(
                    "the bundle {shown} has {size} bytes; at most {MAX_BUNDLE_BYTES} are loaded"
                ),
            ));
        }
        let source = std::fs::read(path).map_err(unreadable)?;
        if WasmEngine::is_wasm(&source) {
            return Self::from_wasm(&shown.to_string(), &source, bindings, compiled);
        }
        let source = String::from_utf8(source).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::because(
                ErrorKind::Bundle,
                format!("the bundle {shown} is not UTF-8 at byte {at}"),
                error,
            )
        })?;
        Self::from_js(
            &shown.to_string(),
            source.strip_prefix('\u{feff}').unwrap_or(&source),
            bindings,
            compiled,
        )
    }

    /// Loads a bundle from its source. `name` is how errors and stacks call it.
    ///
    /// # Errors
    /// As [`Bundle::from_file`].
    pub fn from_source(name: &str, source: &str) -> Result<Self> {
        Self::from_source_with(name, source, Bindings::default())
    }

    /// As [`Bundle::from_source`], with variables and more in `env`.
    ///
    /// # Errors
    /// As [`Bundle::from_file`].
    pub fn from_source_with(name: &str, source: &str, bindings: Bindings) -> Result<Self> {
        Self::from_js(name, source, bindings, None)
    }

    fn from_js(
        name: &str,
        source: &str,
        bindings: Bindings,
        compiled: Option<&Path>,
    ) -> Result<Self> {
        let engine = JsEngine::load_with(name, source, bindings, compiled)?;
        Ok(Self {
            kind: Kind::Js(Arc::new(engine)),
        })
    }

    /// Loads a WASM module from its bytes. `name` is how errors call it.
    ///
    /// # Errors
    /// `Bundle` if it is not one that can be served, there are bindings other than variables, or the
    /// folder `compiled` cannot be used.
    pub fn from_wasm(
        name: &str,
        bytes: &[u8],
        bindings: Bindings,
        compiled: Option<&Path>,
    ) -> Result<Self> {
        let env = variables(name, &bindings)?;
        let cache = compiled.map(Cache::open).transpose().map_err(|error| {
            Error::because(
                ErrorKind::Bundle,
                format!("the folder of compiled code cannot be used: {error}"),
                error,
            )
        })?;
        let engine = WasmEngine::load(name, bytes, cache, &env)
            .map_err(|error| Error::because(ErrorKind::Bundle, error.to_string(), error))?;
        Ok(Self {
            kind: Kind::Wasm(Arc::new(engine), bindings),
        })
    }

    /// The built-in bundle: one class, `Counter`, in the namespace `COUNTER`.
    ///
    /// # Errors
    /// `Bundle` if there is no memory for it.
    pub fn counter() -> Result<Self> {
        Self::from_source("counter.js", include_str!("counter.js"))
    }

    /// The names of the exported classes, in the order of `exports.objects`; a WASM module has the
    /// one class `Handler`.
    pub fn classes(&self) -> &[String] {
        match &self.kind {
            Kind::Js(engine) => engine.classes(),
            Kind::Wasm(engine, _) => engine.classes(),
        }
    }

    /// A module's other classes, which a manifest may bind too.
    pub(crate) fn plain_classes(&self) -> &[String] {
        match &self.kind {
            Kind::Js(engine) => engine.plain_classes(),
            Kind::Wasm(..) => &[],
        }
    }

    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        match &self.kind {
            Kind::Js(engine) => engine.clone(),
            Kind::Wasm(engine, _) => engine.clone(),
        }
    }

    pub(crate) fn bindings(&self) -> &Bindings {
        match &self.kind {
            Kind::Js(engine) => engine.bindings(),
            Kind::Wasm(_, bindings) => bindings,
        }
    }

    pub(crate) fn entrypoints(&self) -> &[String] {
        match &self.kind {
            Kind::Js(engine) => engine.entrypoints(),
            Kind::Wasm(..) => &[],
        }
    }
}

/// What a WASM module has as environment variables.
fn variables(module: &str, bindings: &Bindings) -> Result<Vec<(String, String)>> {
    let mut env = Vec::new();
    for (name, binding) in bindings.iter() {
        let refused = |why: &str| {
            let message =
                format!("{module} is a WASM module, whose environment cannot have {name}: {why}");
            Err(Error::new(ErrorKind::Bundle, message))
        };
        let Some(value) = binding.text() else {
            return refused("it has variables alone");
        };
        if name.contains('=') || value.contains('\0') {
            return refused("a name has no `=`, and a value no zero byte");
        }
        env.push((name.to_owned(), value));
    }
    Ok(env)
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("classes", &self.classes())
            .finish()
    }
}
