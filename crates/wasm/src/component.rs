//! Components: what they must export and may import, and how they are compiled.
//!
//! `component/instance.rs` is one object or worker, `guest.rs` one instance of the component; `drive.rs` runs its
//! calls in slices and lets them wait, `writes.rs` says when what they write leaves; `arriving.rs` and
//! `leaving.rs` are the two halves of an exchange, `outgoing.rs` the requests that guests send. The other files
//! have one interface each.

mod alarm;
mod arriving;
mod clocks;
mod console;
mod drive;
mod events;
mod fault;
mod guest;
mod identity;
mod instance;
mod keyvalue;
mod leaving;
mod limits;
mod link;
mod outgoing;
mod sockets;
mod state;
mod storage;
mod writes;

use dolmen_wasm_code::Compiler;
use wasmtime::component::{Component as Compiled, InstancePre, Type, types::ComponentItem};
use wasmtime_wasi_http::p2::bindings::ProxyIndices;

use self::{events::bindings::WithEventsIndices, state::State};

pub(crate) use self::instance::ComponentInstance;

/// Bindings of `dolmen:object` and `wasi:keyvalue`, made from `wit/`.
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "dolmen:object/object",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::keyvalue::Bucket },
    });
}

/// The export that makes a component a handler, without its version.
const HANDLER: &str = "wasi:http/incoming-handler";
/// The export that it may have for other events.
const EVENTS: &str = "dolmen:object/events";

/// What all instances of a component share.
pub(crate) struct Component {
    compiler: Compiler,
    pre: InstancePre<State>,
    /// Environment variables, name and value.
    env: Vec<(String, String)>,
    proxy: ProxyIndices,
    /// `None`: it does not export `dolmen:object/events`.
    events: Option<WithEventsIndices>,
}

/// Why a component is not served.
pub(crate) enum Refused {
    /// It is not valid, in words.
    Invalid(String),
    /// Each missing export and unknown import.
    Unfit(Vec<String>),
}

impl Component {
    /// Compiles a component, and checks what it exports and imports. `env` has its environment
    /// variables, name and value.
    ///
    /// # Errors
    /// [`Refused`]; see there.
    pub fn load(
        compiler: Compiler,
        bytes: &[u8],
        env: &[(String, String)],
    ) -> Result<Self, Refused> {
        let compiled: Compiled = compiler
            .compile(bytes)
            .map_err(|error| Refused::Invalid(format!("{error:#}")))?;
        let problems = problems(&compiled);
        if !problems.is_empty() {
            return Err(Refused::Unfit(problems));
        }
        let unfit = |error: wasmtime::Error| Refused::Unfit(vec![format!("{error:#}")]);
        let linker = link::linker(compiler.engine()).map_err(unfit)?;
        let pre = linker.instantiate_pre(&compiled).map_err(unfit)?;
        let events = match exports(&compiled, EVENTS) {
            true => Some(WithEventsIndices::new(&pre).map_err(unfit)?),
            false => None,
        };
        Ok(Self {
            proxy: ProxyIndices::new(&pre).map_err(unfit)?,
            pre,
            env: env.to_vec(),
            events,
            compiler,
        })
    }
}

/// What is missing of a component, and what nobody has for it.
fn problems(compiled: &Compiled) -> Vec<String> {
    let mut problems = Vec::new();
    match handles(compiled) {
        None => problems.push(format!("it does not export `{HANDLER}@0.2.x`")),
        Some(true) => {}
        Some(false) => problems.push(format!(
            "its export `{HANDLER}` has no function `handle` from a request and where its response is set"
        )),
    }
    let kind = compiled.component_type();
    for (name, import) in kind.imports(compiled.engine()) {
        let is_interface = matches!(import.ty, ComponentItem::ComponentInstance(_));
        if !is_interface || !link::has(name) {
            problems.push(format!("its import `{name}` is unknown"));
        }
    }
    problems
}

/// Whether its handler takes what it is given; `None` if it has none of 0.2.
fn handles(compiled: &Compiled) -> Option<bool> {
    let (kind, engine) = (compiled.component_type(), compiled.engine());
    let (_, handler) = kind.exports(engine).find(|(name, _)| {
        let of = name.split_once('@');
        of.is_some_and(|(of, version)| of == HANDLER && version.starts_with("0.2."))
    })?;
    let ComponentItem::ComponentInstance(handler) = handler.ty else {
        return Some(false);
    };
    let function = handler.exports(engine).find(|(name, _)| *name == "handle");
    let Some(ComponentItem::ComponentFunc(function)) = function.map(|(_, export)| export.ty) else {
        return Some(false);
    };
    let params: Vec<_> = function.params().map(|(_, kind)| kind).collect();
    Some(matches!(params[..], [Type::Own(_), Type::Own(_)]) && function.results().len() == 0)
}

/// Whether it exports an interface, in any version.
fn exports(compiled: &Compiled, interface: &str) -> bool {
    let kind = compiled.component_type();
    kind.exports(compiled.engine()).any(|(name, export)| {
        let of = name.split_once('@').map_or(name, |(of, _)| of);
        of == interface && matches!(export.ty, ComponentItem::ComponentInstance(_))
    })
}
