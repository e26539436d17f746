//! The QuickJS engine: a loaded bundle, and one runtime for each live object.

use std::rc::Rc;

use dolmen_runtime::{Engine, Error, ErrorKind, Host, Instance};

use crate::{
    bundle::{Bundle, BundleError},
    instance::JsInstance,
};

/// A bundle, ready to be instantiated on any shard.
pub struct JsEngine {
    bundle: Bundle,
}

impl JsEngine {
    /// Compiles a CommonJS bundle and checks what it exports. `file` is how errors and stacks
    /// call it.
    ///
    /// # Errors
    /// A syntax error or a throwing top level with its place, or that there is no class.
    pub fn load(file: &str, source: &str) -> Result<Self, BundleError> {
        Ok(Self {
            bundle: Bundle::load(file, source)?,
        })
    }

    /// The names of the exported classes, in the order of `exports.objects`.
    pub fn classes(&self) -> &[String] {
        &self.bundle.classes
    }
}

impl Engine for JsEngine {
    fn instantiate(&self, class: &str, host: Rc<Host>) -> Result<Box<dyn Instance>, Error> {
        if !self.bundle.classes.iter().any(|known| known == class) {
            return Err(Error::new(
                ErrorKind::StartFailed,
                format!(
                    "class {class:?} is bound to {} but not exported by the bundle",
                    host.namespace().name
                ),
            ));
        }
        Ok(Box::new(JsInstance::new(&self.bundle.code, class, host)?))
    }
}
