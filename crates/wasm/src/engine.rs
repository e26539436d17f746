//! The WebAssembly engine: a checked and compiled module, and what the runtime makes of it.

use std::{rc::Rc, sync::Arc};

use dolmen_runtime::{Concurrency, Engine, Error, ErrorKind, Host, Instance};
use dolmen_wasm_code::{Cache, Compiler, StartError};
use wasmtime::{ExternType, InstancePre, Linker, ValType};

use crate::{
    component::{Component, ComponentInstance, Refused},
    guest::State,
    imports,
    instance::WasmInstance,
    kv,
    memory_files::MemoryFiles,
    wasi,
};

/// The class that a module's objects are of.
pub const CLASS: &str = "Handler";
/// How a file begins that is WebAssembly.
const MAGIC: &[u8] = b"\0asm";
/// The version of core modules, and that of components.
const CORE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];

/// Why a file is not served.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not valid.
    #[error("{file} is not a WebAssembly module: {message}")]
    Invalid {
        /// How the file is called.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// It lacks exports, or wants imports that nobody has.
    #[error("{file} cannot be served: {}", problems.join("; "))]
    Unfit {
        /// How the file is called.
        file: String,
        /// Each of them.
        problems: Vec<String>,
    },
    /// WebAssembly does not run here.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// What all instances of a module share.
pub(crate) struct Module {
    pub compiler: Compiler,
    pub pre: InstancePre<State>,
    pub tmp: Arc<MemoryFiles>,
    /// `NAME=value`.
    pub env: Vec<String>,
}

/// What is served.
enum Served {
    Module(Arc<Module>),
    Component(Arc<Component>),
}

/// A module or a component, ready to be instantiated on any shard.
pub struct WasmEngine {
    served: Served,
    classes: Vec<String>,
}

impl WasmEngine {
    /// Whether these are the first bytes of WebAssembly, whatever kind of it.
    pub fn is_wasm(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Checks and compiles a module, or takes what `cache` has of it. `file` is how errors call it,
    /// and `env` has its environment variables, name and value.
    ///
    /// # Errors
    /// [`LoadError`]; see there.
    pub fn load(
        file: &str,
        bytes: &[u8],
        cache: Option<Cache>,
        env: &[(String, String)],
    ) -> Result<Self, LoadError> {
        let version = bytes.get(MAGIC.len()..MAGIC.len() + 4);
        if Self::is_wasm(bytes) && version == Some(&COMPONENT[..]) {
            return Self::load_component(file, bytes, cache, env);
        }
        let invalid = |message: String| LoadError::Invalid {
            file: file.to_owned(),
            message,
        };
        if !Self::is_wasm(bytes) || version != Some(&CORE[..]) {
            return Err(invalid("it does not begin as one".to_owned()));
        }
        let compiler = Compiler::start(cache)?;
        let compiled = compiler.compile::<wasmtime::Module>(bytes);
        let compiled = compiled.map_err(|error| invalid(format!("{error:#}")))?;
        let linker = linker(compiler.engine()).map_err(|error| invalid(format!("{error:#}")))?;
        let problems: Vec<_> = missing_exports(&compiled)
            .into_iter()
            .chain(unknown_imports(&compiled))
            .collect();
        if !problems.is_empty() {
            return Err(LoadError::Unfit {
                file: file.to_owned(),
                problems,
            });
        }
        let pre = linker
            .instantiate_pre(&compiled)
            .map_err(|error| LoadError::Unfit {
                file: file.to_owned(),
                problems: vec![format!("{error:#}")],
            })?;
        Ok(Self {
            served: Served::Module(Arc::new(Module {
                compiler,
                pre,
                tmp: Arc::default(),
                env: env
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            })),
            classes: classes(),
        })
    }

    fn load_component(
        file: &str,
        bytes: &[u8],
        cache: Option<Cache>,
        env: &[(String, String)],
    ) -> Result<Self, LoadError> {
        let file = file.to_owned();
        let loaded = Component::load(Compiler::start(cache)?, bytes, env);
        let component = loaded.map_err(|refused| match refused {
            Refused::Invalid(message) => LoadError::Invalid { file, message },
            Refused::Unfit(problems) => LoadError::Unfit { file, problems },
        })?;
        Ok(Self {
            served: Served::Component(Arc::new(component)),
            classes: classes(),
        })
    }

    /// The classes that namespaces can be bound to: [`CLASS`], and the one of the worker's keys and values.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }
}

impl Engine for WasmEngine {
    /// The events of an object follow each other all the same: its one instance takes them in turn.
    fn concurrency(&self) -> Concurrency {
        Concurrency::Interleaved
    }

    fn has_object_paths(&self) -> bool {
        true
    }

    fn instantiate_worker(&self, host: Rc<Host>) -> Result<Box<dyn Instance>, Error> {
        Ok(match &self.served {
            Served::Module(module) => Box::new(WasmInstance::worker(module.clone(), host)),
            Served::Component(component) => {
                Box::new(ComponentInstance::worker(component.clone(), host))
            }
        })
    }

    fn instantiate(&self, class: &str, host: Rc<Host>) -> Result<Box<dyn Instance>, Error> {
        match class {
            CLASS => Ok(match &self.served {
                Served::Module(module) => Box::new(WasmInstance::object(module.clone(), host)),
                Served::Component(component) => {
                    Box::new(ComponentInstance::object(component.clone(), host))
                }
            }),
            kv::CLASS => Ok(Box::new(WasmInstance::kv(host))),
            _ => Err(Error::new(
                ErrorKind::StartFailed,
                format!(
                    "class {class:?} is bound to {}, but a WASM module has the classes {CLASS} and {} alone",
                    host.namespace().name,
                    kv::CLASS
                ),
            )),
        }
    }
}

fn classes() -> Vec<String> {
    vec![CLASS.to_owned(), kv::CLASS.to_owned()]
}

fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasi::link(&mut linker)?;
    imports::link(&mut linker)?;
    Ok(linker)
}

/// What a module must export and does not, or not so.
fn missing_exports(module: &wasmtime::Module) -> Vec<String> {
    let mut problems = Vec::new();
    match module.get_export("memory") {
        Some(ExternType::Memory(_)) => {}
        Some(_) => problems.push("its export `memory` is not a memory".to_owned()),
        None => problems.push("it does not export `memory`".to_owned()),
    }
    for name in ["malloc", "handle_zerobuf"] {
        match module.get_export(name) {
            Some(ExternType::Func(function)) => {
                let is_i32 = |types: &[ValType]| matches!(types, [ValType::I32]);
                let params: Vec<_> = function.params().collect();
                let results: Vec<_> = function.results().collect();
                if !is_i32(&params) || !is_i32(&results) {
                    problems.push(format!(
                        "its export `{name}` is {function}, not a function from i32 to i32"
                    ));
                }
            }
            Some(_) => problems.push(format!("its export `{name}` is not a function")),
            None => problems.push(format!("it does not export `{name}`")),
        }
    }
    for (name, params, results) in [
        ("free", 1, 0),
        ("fanout_zerobuf", 1, 1),
        ("do_abi", 0, 1),
        ("_initialize", 0, 0),
        ("_start", 0, 0),
    ] {
        let Some(ExternType::Func(function)) = module.get_export(name) else {
            continue;
        };
        let are_i32 = |mut types: Vec<ValType>, count| {
            types.retain(|type_| matches!(type_, ValType::I32));
            types.len() == count
        };
        let (given, back) = (function.params(), function.results());
        if given.len() != params
            || back.len() != results
            || !are_i32(given.collect(), params)
            || !are_i32(back.collect(), results)
        {
            problems.push(format!(
                "its export `{name}` is {function}, which is not what it must be"
            ));
        }
    }
    problems
}

/// What a module imports that the host does not have.
fn unknown_imports(module: &wasmtime::Module) -> Vec<String> {
    module
        .imports()
        .filter(|import| match import.module() {
            wasi::MODULE => !wasi::has(import.name()),
            imports::MODULE => !imports::has(import.name()),
            _ => true,
        })
        .map(|import| {
            format!(
                "its import `{}.{}` is unknown",
                import.module(),
                import.name()
            )
        })
        .collect()
}
