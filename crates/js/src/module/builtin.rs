//! The modules that are part of Dolmen: `cloudflare:workers`, those of Node, Durable Object Groups,
//! and what transformed code needs.

use rquickjs::{Ctx, Exception, Module, Object, module::Declared};

use super::{native, transform};
use crate::{node, web::group};

/// The name of the built-in module that an import names, if it is one. Node's modules go without
/// their prefix, too.
pub(super) fn name(specifier: &str) -> Option<String> {
    // By the name of Cloudflare's library, which a file of the bundle cannot have.
    if specifier == "dog" {
        return Some("dolmen:dog".to_owned());
    }
    if is(specifier) || source(specifier).is_some() {
        return Some(specifier.to_owned());
    }
    node::names()
        .any(|name| name == specifier)
        .then(|| format!("node:{specifier}"))
}

/// The text of a module that is part of Dolmen and otherwise as a file of the bundle: its bytecode is
/// made when a bundle that imports it is loaded.
pub(super) fn source(name: &str) -> Option<&'static str> {
    match name {
        "dolmen:groups" => Some(include_str!("../../../../packages/groups/dist/groups.js")),
        "dolmen:dog" => Some(include_str!("../../../../packages/groups/dist/dog.js")),
        _ => None,
    }
}

/// Whether a module is built in and made by [`declare`].
pub(super) fn is(name: &str) -> bool {
    name.starts_with("cloudflare:") || name.starts_with("node:") || name == transform::USING_HELPER
}

/// Declares a built-in module, whose exports are the properties of an object.
pub(super) fn declare<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let exports: Object<'js> = match name {
        "cloudflare:workers" => native::workers_module(ctx)?,
        transform::USING_HELPER => {
            let exports = Object::new(ctx.clone())?;
            exports.set("default", group::use_name(ctx.clone(), "usingCtx".into())?)?;
            exports
        }
        _ => {
            let node = match name.strip_prefix("node:") {
                Some(name) => node::exports(ctx, name)?,
                None => None,
            };
            if let Some(exports) = node {
                return module(ctx, name, exports);
            }
            return Err(Exception::throw_message(
                ctx,
                &format!(
                    "No such module {name:?}: Dolmen does not have it; docs/compatibility.md lists what there is"
                ),
            ));
        }
    };
    module(ctx, name, exports)
}

fn module<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    exports: Object<'js>,
) -> rquickjs::Result<Module<'js, Declared>> {
    let mut names = Vec::new();
    let mut source = String::from("const all = import.meta.exports; delete import.meta.exports;\n");
    // Those of Cloudflare have no default export.
    let mut default = name.starts_with("node:").then_some("all");
    for (index, key) in exports.keys::<String>().enumerate() {
        let key = key?;
        // Reading one of these builds the streams of Node, which few programs want.
        if name == "node:process" && ["stdin", "stdout", "stderr"].contains(&key.as_str()) {
            continue;
        }
        let name = key;
        if name == "default" {
            default = Some("all.default");
        } else {
            source.push_str(&format!("const v{index} = all[{name:?}];\n"));
            names.push(format!("v{index} as {name}"));
        }
    }
    if let Some(default) = default {
        source.push_str(&format!("export default {default};\n"));
    }
    source.push_str(&format!("export {{ {} }};\n", names.join(", ")));
    let module = Module::declare(ctx.clone(), name, source)?;
    module.meta()?.set("exports", exports)?;
    Ok(module)
}
