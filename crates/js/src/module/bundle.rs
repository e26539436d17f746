//! Loads a module worker: compiles its files once, and finds what it exports.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use rquickjs::{Ctx, Module, Object, Value, loader::Loader};

use super::{
    instance::evaluate,
    loader::{Modules, Reading},
    native::{self, Exports},
};
use crate::{
    api,
    bindings::Bindings,
    bundle::{self, BundleError, Deadline, Failure},
    node, poll_now,
    wasm::Code,
    web,
};

/// A compiled module worker.
pub(crate) struct ModuleBundle {
    pub modules: Arc<Modules>,
    pub bindings: Arc<Bindings>,
    pub exports: Exports,
    /// What compiled its WebAssembly modules.
    pub wasm: Arc<Code>,
}

/// Whether a source is an ES module: it says `import` or `export` where only a module may.
pub(crate) fn is_module(file: &str, source: &str) -> bool {
    if [".mjs", ".ts", ".mts"].iter().any(|it| file.ends_with(it)) {
        return true;
    }
    !file.ends_with(".cjs")
        && source.lines().any(|line| {
            let line = line.trim_start();
            [
                "import ", "import{", "import\"", "import'", "import*", "export ", "export{",
                "export*",
            ]
            .iter()
            .any(|start| line.starts_with(start))
        })
}

impl ModuleBundle {
    /// Compiles `source` and the files that it imports, relative to `file`, and runs their top
    /// level once to see what it exports. TypeScript and `using` are compiled away.
    pub fn load(
        file: &str,
        source: &str,
        bindings: &Arc<Bindings>,
        wasm: &Arc<Code>,
    ) -> Result<Self, BundleError> {
        let runtime = bundle::new_runtime(file)?;
        let deadline = Deadline::default();
        let reading = Reading {
            entry: file.into(),
            entry_source: source.into(),
            modules: Rc::default(),
            sources: Rc::new(RefCell::new(HashMap::new())),
            refused: Rc::default(),
            wasm: wasm.clone(),
            deadline: deadline.clone(),
        };
        poll_now(runtime.set_loader(reading.clone(), reading.clone()));
        let (sources, refused) = (reading.sources.clone(), reading.refused.clone());
        bundle::load_in(
            file,
            runtime,
            wasm,
            &deadline,
            |ctx| Self::find(ctx, file, reading, bindings),
            |ctx, error| {
                if let Some(refused) = refused.take() {
                    return refused;
                }
                bundle::describe_module(ctx, file, &sources.borrow(), error)
            },
        )
    }

    fn find(
        ctx: &Ctx<'_>,
        file: &str,
        mut reading: Reading,
        bindings: &Arc<Bindings>,
    ) -> Result<Self, Failure> {
        web::install(ctx, Rc::new(api::LoadingHost))?;
        api::console::install(ctx, file.to_owned())?;
        api::timers::install_refusing(ctx)?;
        node::install_globals(ctx)?;
        native::install(ctx, None, &Exports::default(), bindings)?;
        let wasm = reading.wasm.clone();
        let module: Module<'_, _> = reading.load(ctx, file)?;
        let namespace = evaluate(ctx, module, || while ctx.execute_pending_job() {})?;
        let exports = exports(ctx, file, &namespace)?;
        Ok(Self {
            modules: Arc::new(Modules {
                entry: file.to_owned(),
                ..reading.modules.take()
            }),
            bindings: bindings.clone(),
            exports,
            wasm,
        })
    }
}

fn exports<'js>(ctx: &Ctx<'js>, file: &str, namespace: &Object<'js>) -> Result<Exports, Failure> {
    let state = native::state(ctx)?;
    let bases: Object<'js> = state.workers.get("bases")?;
    let extends = |value: &Value<'js>, base: &str| -> rquickjs::Result<bool> {
        let base: Object<'js> = bases.get::<_, Object<'js>>(base)?;
        let wanted: Object<'js> = base.get("prototype")?;
        let mut holder = match value.as_object() {
            Some(class) => class.get::<_, Option<Object<'js>>>("prototype")?,
            None => None,
        };
        while let Some(object) = holder {
            if object == wanted {
                return Ok(true);
            }
            holder = object.get_prototype();
        }
        Ok(false)
    };
    let mut found = Exports::default();
    for name in namespace.keys::<String>() {
        let name = name?;
        let value: Value<'js> = namespace.get(name.as_str())?;
        let is_class = value.is_constructor();
        if is_class && extends(&value, "DurableObject")? {
            found.classes.push(name.clone());
            found.objects.push(name);
        } else if name == "default"
            || is_class && extends(&value, "WorkerEntrypoint")?
            || !is_class && has_fetch(&value)?
        {
            found.entrypoints.push(name);
        } else if value.is_function() {
            if is_class {
                found.plain.push(name.clone());
            }
            found.classes.push(name);
        }
    }
    if found.objects.is_empty() && found.entrypoints.is_empty() {
        return Err(Failure::Bundle(BundleError::new(format!(
            "{file}: the worker exports neither a default handler nor a class that extends DurableObject"
        ))));
    }
    Ok(found)
}

/// Whether a value is an object of handlers.
fn has_fetch(value: &Value<'_>) -> rquickjs::Result<bool> {
    match value.as_object() {
        Some(object) if !object.is_function() => {
            Ok(object.get::<_, Value<'_>>("fetch")?.is_function())
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_and_export_make_a_module() {
        for (file, source, expected) in [
            ("a.mjs", "", true),
            ("a.js", "export default {}", true),
            ("a.js", "import { a } from './b.js'", true),
            ("a.js", "exports.objects = {};", false),
            ("a.js", "// export default\nexports.x = 1", false),
            ("a.cjs", "export default {}", false),
        ] {
            assert_eq!(is_module(file, source), expected, "{file} {source}");
        }
    }
}
