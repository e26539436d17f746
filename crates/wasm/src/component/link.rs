//! What components may import: the interfaces of WASI 0.2 that Dolmen has, and its own.

use wasmtime::{
    Engine,
    component::{HasSelf, Linker},
};

use super::{bindings, state::State};

/// The interfaces of WASI 0.2, which any version of 0.2 may be asked for.
const WASI: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];
/// What has one version only.
const OTHERS: &[&str] = &[
    "dolmen:object/alarm@0.1.0",
    "dolmen:object/identity@0.1.0",
    "dolmen:object/log@0.1.0",
    "dolmen:object/sockets@0.1.0",
    "dolmen:object/storage@0.1.0",
    "wasi:keyvalue/store@0.2.0-draft2",
];

/// Whether an interface is there; its functions are compared when the component is linked.
pub(crate) fn has(import: &str) -> bool {
    let of_wasi = |(interface, version): (&str, &str)| {
        WASI.contains(&interface) && version.starts_with("0.2.") && !version.contains('-')
    };
    OTHERS.contains(&import) || import.split_once('@').is_some_and(of_wasi)
}

/// Everything that [`has`] knows.
///
/// # Errors
/// If two interfaces have the same name.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::Object::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_that_is_named_is_linked() {
        let engine = Engine::default();
        let linker = linker(&engine).unwrap();
        let wasi = WASI
            .iter()
            .flat_map(|name| [format!("{name}@0.2.0"), format!("{name}@0.2.99")]);
        for name in wasi.chain(OTHERS.iter().map(|name| (*name).to_owned())) {
            assert!(has(&name), "{name}");
            // An instance that must export something only the real one has would differ; an empty one shows the name.
            let wat = format!("(component (import \"{name}\" (instance)))");
            let component =
                wasmtime::component::Component::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
            if let Err(error) = linker.instantiate_pre(&component) {
                panic!("{name}: {error:#}");
            }
        }
        for name in [
            "wasi:cli/stdin",
            "wasi:cli/stdin@0.3.0",
            "wasi:cli/stdin@0.2.0-rc",
            "dolmen:object/log@0.2.0",
            "wasi:x/y@0.2.0",
        ] {
            assert!(!has(name), "{name}");
        }
    }
}
