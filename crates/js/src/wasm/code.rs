//! Modules, checked and compiled: those that a bundle imports, with the folder that keeps their
//! code, and those that a program makes.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use dolmen_wasm_code::{Cache, Compiler};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, Validator, WasmFeatures};
use wasmtime::Module;

/// What modules may use. The rest of what wasmtime can do has no counterpart in this JavaScript.
const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::RELAXED_SIMD);
/// The version of a component, where that of a module is 1.
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];

/// What compiles modules for all contexts of a bundle. Nothing is started before the first one.
#[derive(Default)]
pub(crate) struct Code {
    folder: Option<PathBuf>,
    compiler: Mutex<Option<Arc<Compiler>>>,
}

impl Code {
    /// `folder` keeps the code of imported modules; `None`: each start compiles them.
    pub fn new(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            compiler: Mutex::default(),
        }
    }

    /// Wasmtime, started if it is not yet.
    ///
    /// # Errors
    /// Why it does not run here, or the folder cannot be used.
    pub fn compiler(&self) -> Result<Arc<Compiler>, String> {
        let mut compiler = self.compiler.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiler) = &*compiler {
            return Ok(compiler.clone());
        }
        let cache = self.folder.as_deref().map(Cache::open).transpose();
        let cache = cache
            .map_err(|error| format!("the folder of compiled code cannot be used: {error}"))?;
        let started = Arc::new(Compiler::start(cache).map_err(|error| error.to_string())?);
        *compiler = Some(started.clone());
        Ok(started)
    }

    /// A module that a bundle imports, from the folder or into it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn imported(&self, wasm: &[u8]) -> Result<Compiled, String> {
        Compiled::inspect(wasm)?.finish(self.compiler()?.compile(wasm))
    }
}

/// Imports, exports and globals of one module: each instance has room for all of them, and linking
/// them is one step.
const MAX_NAMED: u32 = 50_000;
/// Functions of one module, of which an instance may need room for a reference each.
const MAX_FUNCTIONS: u32 = 200_000;

/// What an import or an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

impl Kind {
    /// As the standard calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
        }
    }
}

/// An export: what it is called, and which of its kind it is, the imported ones first.
pub(super) struct Export {
    pub name: String,
    pub kind: Kind,
    pub index: u32,
}

/// A module, compiled.
pub(crate) struct Compiled {
    pub(super) module: Module,
    pub(super) about: About,
}

/// What a module says of itself.
pub(super) struct About {
    /// Module, name and kind of each import.
    pub imports: Vec<(String, String, Kind)>,
    pub exports: Vec<Export>,
    pub custom_sections: Vec<(String, Box<[u8]>)>,
    /// The whole module's size, in bytes.
    pub size: usize,
}

impl Compiled {
    /// Checks a module without compiling it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn inspect(wasm: &[u8]) -> Result<About, String> {
        if wasm.is_empty() {
            return Err("the bytes are empty".to_owned());
        }
        if wasm.get(4..8) == Some(&COMPONENT[..]) {
            return Err("it is a component; JavaScript takes core modules only".to_owned());
        }
        let text = |error: wasmparser::BinaryReaderError| {
            format!("{} @+{}", error.message(), error.offset())
        };
        Validator::new_with_features(FEATURES)
            .validate_all(wasm)
            .map_err(text)?;
        let mut about = About {
            imports: Vec::new(),
            exports: Vec::new(),
            custom_sections: Vec::new(),
            size: wasm.len(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(text)? {
                Payload::ImportSection(section) => {
                    check_count(section.count(), "imports", MAX_NAMED)?;
                    for import in section.into_imports() {
                        let import = import.map_err(text)?;
                        let kind = match import.ty {
                            TypeRef::Func(_) => Kind::Function,
                            TypeRef::Table(_) => Kind::Table,
                            TypeRef::Memory(_) => Kind::Memory,
                            TypeRef::Global(_) => Kind::Global,
                            _ => return Err(no_such_kind(import.name)),
                        };
                        let (module, name) = (import.module.to_owned(), import.name.to_owned());
                        about.imports.push((module, name, kind));
                    }
                }
                Payload::FunctionSection(section) => {
                    check_count(section.count(), "functions", MAX_FUNCTIONS)?;
                }
                Payload::GlobalSection(section) => {
                    check_count(section.count(), "globals", MAX_NAMED)?;
                }
                Payload::ExportSection(section) => {
                    check_count(section.count(), "exports", MAX_NAMED)?;
                    for export in section {
                        let export = export.map_err(text)?;
                        let kind = match export.kind {
                            ExternalKind::Func => Kind::Function,
                            ExternalKind::Table => Kind::Table,
                            ExternalKind::Memory => Kind::Memory,
                            ExternalKind::Global => Kind::Global,
                            _ => return Err(no_such_kind(export.name)),
                        };
                        about.exports.push(Export {
                            name: export.name.to_owned(),
                            kind,
                            index: export.index,
                        });
                    }
                }
                Payload::CustomSection(section) => {
                    let section = (section.name().to_owned(), section.data().into());
                    about.custom_sections.push(section);
                }
                _ => {}
            }
        }
        Ok(about)
    }

    /// Compiles a module that nobody keeps.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(compiler: &Compiler, wasm: &[u8]) -> Result<Self, String> {
        Self::inspect(wasm)?.finish(Module::new(compiler.engine(), wasm))
    }
}

impl About {
    fn finish(self, module: wasmtime::Result<Module>) -> Result<Compiled, String> {
        Ok(Compiled {
            module: module.map_err(|error| format!("{error:#}"))?,
            about: self,
        })
    }
}

fn check_count(count: u32, what: &str, most: u32) -> Result<(), String> {
    if count > most {
        return Err(format!("it has {count} {what}; at most {most} are allowed"));
    }
    Ok(())
}

fn no_such_kind(name: &str) -> String {
    format!("{name:?} is of a kind that is not there: exceptions and their tags are not supported")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_refused_by_its_name() {
        for (wat, says) in [
            ("(module (memory i64 1))", "memory64"),
            ("(module (memory 1 2 shared))", "threads"),
            ("(module (tag))", "exceptions"),
            ("(module (memory 1) (memory 1))", "multi"),
            ("(module (type (struct)))", "gc"),
            ("(component)", "component"),
        ] {
            let wasm = wat::parse_str(wat).unwrap();
            let error = Compiled::inspect(&wasm).err().unwrap();
            assert!(error.contains(says), "{wat}: {error}");
        }
        let many = format!("(module {})", "(global i32 (i32.const 0))".repeat(50_001));
        let error = Compiled::inspect(&wat::parse_str(many).unwrap()).err();
        assert!(error.unwrap().contains("50001 globals"));
        assert!(Compiled::inspect(b"").is_err());
        assert!(Compiled::inspect(b"\0asm\x01\0\0").is_err());
        assert!(Compiled::inspect(b"\0asm\x01\0\0\0").is_ok());
    }
}
