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

use super::{
    builtin,
    transform::{self, Language},
};
use crate::{
    bundle::{self, BundleError, Deadline},
    wasm::{self, Code, Compiled},
};

/// Most files of one bundle.
const MAX_FILES: usize = 10_000;
/// Largest file of a bundle, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The compiled files of a bundle by name. The first one is where it begins.
#[derive(Default)]
pub(crate) struct Modules {
    pub entry: String,
    pub code: HashMap<String, Arc<[u8]>>,
    /// The WebAssembly modules.
    pub wasm: HashMap<String, Arc<Compiled>>,
    /// The files that imports mean which leave the end of a name out, by the name without it.
    pub found: HashMap<String, String>,
}

/// What an import may leave out, or TypeScript writes otherwise, in the order of the search.
const ENDINGS: [&str; 6] = [".ts", ".mts", ".js", ".mjs", "/index.ts", "/index.js"];

/// The file that an import of `path` means, if it is another one: the name may lack its ending, and
/// TypeScript writes `./x.js` for what is `./x.ts`.
fn find(path: &str) -> Option<String> {
    if Path::new(path).is_file() {
        return None;
    }
    let written = [(".js", ".ts"), (".mjs", ".mts")]
        .iter()
        .filter_map(|(js, ts)| path.strip_suffix(js).map(|stem| format!("{stem}{ts}")));
    let ended = ENDINGS.iter().map(|ending| format!("{path}{ending}"));
    written.chain(ended).find(|file| Path::new(file).is_file())
}

/// Whether a file is a WebAssembly module, by its name.
fn is_wasm(name: &str) -> bool {
    name.ends_with(".wasm")
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
                "No such module {name:?}, imported from {base:?}. Packages are bundled before they are served: `npx esbuild {base} --bundle --format=esm '--external:cloudflare:*' '--external:node:*' --outfile=worker.mjs`, or `npx wrangler deploy --dry-run --outdir=dist`"
            ),
        ));
    }
    // As wrangler's rules have it.
    let name = name.strip_suffix("?module").unwrap_or(name);
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
    pub modules: Rc<RefCell<Modules>>,
    /// The sources, for errors that show a line.
    pub sources: Rc<RefCell<HashMap<String, Source>>>,
    /// What is wrong with a file that could not be transformed.
    pub refused: Rc<RefCell<Option<BundleError>>>,
    /// What compiles WebAssembly modules, until when the rest must be done.
    pub wasm: Arc<Code>,
    pub deadline: Deadline,
}

/// The text of a file.
pub(crate) struct Source {
    /// As it was read.
    pub text: Rc<str>,
    /// As the engine got it, where that is something else; on the same lines.
    pub compiled: Option<Rc<str>>,
}

impl Resolver for Reading {
    fn resolve<'js>(&mut self, ctx: &Ctx<'js>, base: &str, name: &str) -> rquickjs::Result<String> {
        let path = resolve(ctx, base, name)?;
        if builtin::is(&path) || builtin::source(&path).is_some() {
            return Ok(path);
        }
        let Some(file) = find(&path) else {
            return Ok(path);
        };
        self.modules.borrow_mut().found.insert(path, file.clone());
        Ok(file)
    }
}

impl Reading {
    /// Compiles a file, transformed if the engine cannot read it as it is.
    fn declare<'js>(
        &self,
        ctx: &Ctx<'js>,
        name: &str,
        source: &Rc<str>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        let text = as_module(name, source);
        let keep = |compiled| {
            let source = Source {
                text: source.clone(),
                compiled,
            };
            self.sources.borrow_mut().insert(name.to_owned(), source);
        };
        keep(None);
        let language = Language::of(name);
        if language == Language::JavaScript {
            let declared = Module::declare(ctx.clone(), name, text.as_bytes());
            if declared.is_ok() || !transform::may_use_using(&text) || !is_syntax_error(ctx)? {
                return declared;
            }
        }
        match transform::transform(name, &text, language) {
            Ok(text) => {
                keep(Some(text.as_str().into()));
                Module::declare(ctx.clone(), name, text)
            }
            Err(refusal) => {
                let message = format!("SyntaxError: {}", refusal.message);
                let error = bundle::place_at(name, source, refusal.at, &message);
                *self.refused.borrow_mut() = Some(error);
                Err(Exception::throw_syntax(ctx, &refusal.message))
            }
        }
    }
}

/// Whether the pending exception is a syntax error; only then it is taken.
fn is_syntax_error(ctx: &Ctx<'_>) -> rquickjs::Result<bool> {
    let thrown = ctx.catch();
    let is_syntax = match thrown.as_object() {
        Some(error) => error.get::<_, Option<String>>("name")?.as_deref() == Some("SyntaxError"),
        None => false,
    };
    if !is_syntax {
        ctx.throw(thrown);
    }
    Ok(is_syntax)
}

impl Loader for Reading {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Module<'js, Declared>> {
        if builtin::is(name) {
            return builtin::declare(ctx, name);
        }
        let files = self.modules.borrow().code.len() + self.modules.borrow().wasm.len();
        if files >= MAX_FILES {
            return Err(Exception::throw_message(
                ctx,
                &format!("the bundle has more than {MAX_FILES} files"),
            ));
        }
        if is_wasm(name) {
            let compiled = self.deadline.without(|| self.wasm.file(name));
            let compiled = compiled.map_err(|why| {
                *self.refused.borrow_mut() = Some(BundleError::new(why.clone()));
                Exception::throw_message(ctx, &why)
            })?;
            let known = (name.to_owned(), compiled.clone());
            self.modules.borrow_mut().wasm.extend([known]);
            return wasm::import_module(ctx, name, compiled);
        }
        let source: Rc<str> = if name == &*self.entry {
            self.entry_source.clone()
        } else if let Some(source) = builtin::source(name) {
            source.into()
        } else {
            read(name)
                .map_err(|why| {
                    Exception::throw_message(ctx, &format!("No such module {name:?}: {why}"))
                })?
                .into()
        };
        let module = self.declare(ctx, name, &source)?;
        let code = module.write(WriteOptions::default())?.into();
        self.modules.borrow_mut().code.insert(name.to_owned(), code);
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
        let path = resolve(ctx, base, name)?;
        Ok(self.0.found.get(&path).cloned().unwrap_or(path))
    }
}

impl Loader for Loaded {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Module<'js, Declared>> {
        if builtin::is(name) {
            return builtin::declare(ctx, name);
        }
        if let Some(compiled) = self.0.wasm.get(name) {
            return wasm::import_module(ctx, name, compiled.clone());
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
