//! The QuickJS engine: a loaded bundle, and one runtime for each live object.

use std::{path::Path, rc::Rc, sync::Arc};

use dolmen_runtime::{Concurrency, Engine, Error, ErrorKind, Host, Instance};

use crate::{
    bindings::Bindings,
    bundle::{Bundle, BundleError},
    instance::JsInstance,
    module::{ModuleBundle, ModuleInstance, is_module},
    wasm::Code,
};

/// A bundle, ready to be instantiated on any shard.
pub struct JsEngine {
    bundle: Kind,
    bindings: Arc<Bindings>,
    wasm: Arc<Code>,
}

enum Kind {
    CommonJs(Bundle),
    Module(ModuleBundle),
}

impl JsEngine {
    /// Compiles a CommonJS bundle or a module worker, whose relative imports are read from the
    /// folder of `file`, and checks what it exports. `file` is how errors and stacks call it, too.
    ///
    /// # Errors
    /// A syntax error or a throwing top level with its place, or that there is no class.
    pub fn load(file: &str, source: &str) -> Result<Self, BundleError> {
        Self::load_with(file, source, Bindings::default(), None)
    }

    /// As [`JsEngine::load`], with more members of `env`, which the top level of a module worker
    /// sees, too. The folder `compiled`, which must be this user's alone, keeps the compiled code of
    /// the WebAssembly modules that the bundle imports.
    ///
    /// # Errors
    /// As [`JsEngine::load`], and an import that is no WebAssembly module by its name.
    pub fn load_with(
        file: &str,
        source: &str,
        bindings: Bindings,
        compiled: Option<&Path>,
    ) -> Result<Self, BundleError> {
        let bindings = Arc::new(bindings);
        let wasm = Arc::new(Code::new(compiled));
        let bundle = if is_module(file, source) {
            Kind::Module(ModuleBundle::load(file, source, &bindings, &wasm)?)
        } else {
            Kind::CommonJs(Bundle::load(file, source, &wasm)?)
        };
        Ok(Self {
            bundle,
            bindings,
            wasm,
        })
    }

    /// What `env` has beside the namespaces.
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// The names of the exports that other workers may call: the default export, and classes that
    /// extend `WorkerEntrypoint`. A CommonJS bundle has none.
    pub fn entrypoints(&self) -> &[String] {
        match &self.bundle {
            Kind::CommonJs(_) => &[],
            Kind::Module(bundle) => &bundle.exports.entrypoints,
        }
    }

    /// The names of the exported classes, in the order of `exports.objects` or of the module: of a module those that
    /// extend `DurableObject`.
    pub fn classes(&self) -> &[String] {
        match &self.bundle {
            Kind::CommonJs(bundle) => &bundle.classes,
            Kind::Module(bundle) => &bundle.exports.objects,
        }
    }

    /// The names of a module's other exported classes, which may be bound too: their handlers get events, and calls are
    /// refused. A CommonJS bundle has none.
    pub fn plain_classes(&self) -> &[String] {
        match &self.bundle {
            Kind::CommonJs(_) => &[],
            Kind::Module(bundle) => &bundle.exports.plain,
        }
    }
}

impl Engine for JsEngine {
    fn concurrency(&self) -> Concurrency {
        match &self.bundle {
            Kind::CommonJs(_) => Concurrency::Serial,
            Kind::Module(_) => Concurrency::Interleaved,
        }
    }

    fn instantiate_worker(&self, host: Rc<Host>) -> Result<Box<dyn Instance>, Error> {
        match &self.bundle {
            Kind::Module(bundle) => Ok(Box::new(ModuleInstance::new(bundle, None, host)?)),
            Kind::CommonJs(_) => Err(Error::new(
                ErrorKind::StartFailed,
                "a CommonJS bundle has no worker",
            )),
        }
    }

    fn instantiate(&self, class: &str, host: Rc<Host>) -> Result<Box<dyn Instance>, Error> {
        let mut known = self.classes().iter().chain(self.plain_classes());
        if !known.any(|known| known == class) {
            return Err(Error::new(
                ErrorKind::StartFailed,
                format!(
                    "class {class:?} is bound to {} but not exported by the bundle",
                    host.namespace().name
                ),
            ));
        }
        Ok(match &self.bundle {
            Kind::CommonJs(bundle) => {
                let (code, bindings) = (&bundle.code, &self.bindings);
                Box::new(JsInstance::new(code, bindings, class, host, &self.wasm)?)
            }
            Kind::Module(bundle) => Box::new(ModuleInstance::new(bundle, Some(class), host)?),
        })
    }
}
