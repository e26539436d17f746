//! The modules that are part of Dolmen: `cloudflare:workers` and those of Node.

use rquickjs::{Ctx, Exception, Module, Object, Value, module::Declared};

use super::native;

/// The name of the built-in module that an import names, if it is one.
pub(super) fn name(specifier: &str) -> Option<String> {
    is(specifier).then(|| specifier.to_owned())
}

/// Whether a module is built in.
pub(super) fn is(name: &str) -> bool {
    name.starts_with("cloudflare:") || name.starts_with("node:")
}

/// Declares a built-in module, whose exports are the properties of an object.
pub(super) fn declare<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Module<'js, Declared>> {
    let exports: Object<'js> = match name {
        "cloudflare:workers" => native::workers_module(ctx)?,
        _ => {
            return Err(Exception::throw_message(
                ctx,
                &format!(
                    "No such module {name:?}: Dolmen does not have it; docs/compatibility.md lists what there is"
                ),
            ));
        }
    };
    let mut names = Vec::new();
    let mut source = String::from("const all = import.meta.exports; delete import.meta.exports;\n");
    let mut default = "all";
    for (index, entry) in exports.props::<String, Value<'js>>().enumerate() {
        let (name, _) = entry?;
        if name == "default" {
            default = "all.default";
        } else {
            source.push_str(&format!("const v{index} = all[{name:?}];\n"));
            names.push(format!("v{index} as {name}"));
        }
    }
    source.push_str(&format!(
        "export default {default};\nexport {{ {} }};\n",
        names.join(", ")
    ));
    let module = Module::declare(ctx.clone(), name, source)?;
    module.meta()?.set("exports", exports)?;
    Ok(module)
}
