//! Finds modules: the bundle's own files, and the built-in ones.

use std::{
    cell::RefCell,
    collections::HashMap,
    path::{Component, Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use rquickjs::{
    Ctx, Exception, Module,
    loader::{Loader, Resolver},
    module::{Declared, WriteOptions},
};

use super::builtin;

/// Most files of one bundle.
const MAX_FILES: usize = 10_000;
/// Largest file of a bundle, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The compiled files of a bundle by name. The first one is where it begins.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub entry: String,
    pub code: HashMap<String, Arc<[u8]>>,
}

/// The name of a module that `base` imports as `name`.
fn resolve(ctx: &Ctx<'_>, base: &str, name: &str) -> rquickjs::Result<String> {
    if let Some(builtin) = builtin::name(name) {
        return Ok(builtin);
    }
    if !name.starts_with("./") && !name.starts_with("../") {
        return Err(Exception::throw_message(
            ctx,
            &format!(
                "No such module {name:?}, imported from {base:?}. Packages are bundled before they are served: esbuild {base} --bundle --format=esm --external:cloudflare:* --external:node:*"
            ),
        ));
    }
    let mut path = PathBuf::from(base);
    path.pop();
    for part in Path::new(name).components() {
        match part {
            // Beyond the first folder of a relative path.
            Component::ParentDir if path.parent().is_none() || path.ends_with("..") => {
                path.push("..");
            }
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    path.into_os_string()
        .into_string()
        .map_err(|_| Exception::throw_message(ctx, &format!("the path of {name:?} is not UTF-8")))
}

/// Reads files from the disk and keeps their bytecode: for loading a bundle.
#[derive(Clone)]
pub(crate) struct Reading {
    pub entry_source: Rc<str>,
    pub entry: Rc<str>,
    pub found: Rc<RefCell<HashMap<String, Arc<[u8]>>>>,
    /// The sources, for errors that show a line.
    pub sources: Rc<RefCell<HashMap<String, Rc<str>>>>,
}

impl Resolver for Reading {
    fn resolve<'js>(&mut self, ctx: &Ctx<'js>, base: &str, name: &str) -> rquickjs::Result<String> {
        resolve(ctx, base, name)
    }
}

impl Loader for Reading {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Module<'js, Declared>> {
        if builtin::is(name) {
            return builtin::declare(ctx, name);
        }
        if self.found.borrow().len() >= MAX_FILES {
            return Err(Exception::throw_message(
                ctx,
                &format!("the bundle has more than {MAX_FILES} files"),
            ));
        }
        let source: Rc<str> = if name == &*self.entry {
            self.entry_source.clone()
        } else {
            read(name)
                .map_err(|why| {
                    Exception::throw_message(ctx, &format!("No such module {name:?}: {why}"))
                })?
                .into()
        };
        let text = as_module(name, &source);
        self.sources
            .borrow_mut()
            .insert(name.to_owned(), source.clone());
        let module = Module::declare(ctx.clone(), name, text.as_bytes())?;
        let code = module.write(WriteOptions::default())?;
        self.found.borrow_mut().insert(name.to_owned(), code.into());
        Ok(module)
    }
}

fn read(name: &str) -> Result<String, String> {
    let size = std::fs::metadata(name)
        .map_err(|error| error.to_string())?
        .len();
    if size > MAX_FILE_BYTES {
        return Err(format!(
            "it has {size} bytes; at most {MAX_FILE_BYTES} are loaded"
        ));
    }
    std::fs::read_to_string(name).map_err(|error| error.to_string())
}

/// What stands in a module for files that are not JavaScript: data is the default export.
fn as_module<'s>(name: &str, source: &'s str) -> std::borrow::Cow<'s, str> {
    let extension = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension {
        "json" => format!("export default {source};").into(),
        "txt" | "html" | "sql" => {
            format!("export default {};", serde_json::Value::from(source)).into()
        }
        _ => source.into(),
    }
}

/// Loads bytecode: for instances.
#[derive(Clone)]
pub(crate) struct Loaded(pub Arc<Modules>);

impl Resolver for Loaded {
    fn resolve<'js>(&mut self, ctx: &Ctx<'js>, base: &str, name: &str) -> rquickjs::Result<String> {
        resolve(ctx, base, name)
    }
}

impl Loader for Loaded {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Module<'js, Declared>> {
        if builtin::is(name) {
            return builtin::declare(ctx, name);
        }
        let Some(code) = self.0.code.get(name) else {
            return Err(Exception::throw_message(
                ctx,
                &format!(
                    "No such module {name:?}: a dynamic import finds only modules that the bundle also imports statically"
                ),
            ));
        };
        // SAFETY: written by `Module::write` of the same engine in this process, and unchanged since.
        unsafe { Module::load(ctx.clone(), code) }
    }
}
