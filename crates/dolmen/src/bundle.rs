//! The JavaScript that objects are made of, loaded and checked.

use std::{path::Path, sync::Arc};

use dolmen_js::{Bindings, JsEngine};

use crate::error::{Error, ErrorKind, Result};

/// Largest bundle file, in bytes.
const MAX_BUNDLE_BYTES: u64 = 64 << 20;

/// A compiled module worker or CommonJS bundle. Cheap to clone.
#[derive(Clone)]
pub struct Bundle {
    pub(crate) engine: Arc<JsEngine>,
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
        let source = String::from_utf8(source).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::because(
                ErrorKind::Bundle,
                format!("the bundle {shown} is not UTF-8 at byte {at}"),
                error,
            )
        })?;
        Self::from_source_with(
            &shown.to_string(),
            source.strip_prefix('\u{feff}').unwrap_or(&source),
            bindings,
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
        Ok(Self {
            engine: Arc::new(JsEngine::load_with(name, source, bindings)?),
        })
    }

    /// The built-in bundle: one class, `Counter`, in the namespace `COUNTER`.
    ///
    /// # Errors
    /// `Bundle` if there is no memory for it.
    pub fn counter() -> Result<Self> {
        Self::from_source("counter.js", include_str!("counter.js"))
    }

    /// The names of the exported classes, in the order of `exports.objects`.
    pub fn classes(&self) -> &[String] {
        self.engine.classes()
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("classes", &self.classes())
            .finish()
    }
}
