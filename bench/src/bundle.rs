//! What the servers serve: each bundle's files, and the larger worker that is generated.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::install;
use crate::work::{Call, Op, Page};

/// The least size of the large worker, in bytes.
const LARGE_BYTES: usize = 200_000;

/// A program that a server is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bundle {
    /// The counter, written for each server: CommonJS for Dolmen, a worker for workerd.
    Counter,
    /// The module worker `rows.mjs`, the same file for both.
    Worker,
    /// The same worker, padded to 200 KB with functions that are defined and not run.
    LargeWorker,
    /// The module worker `sockets.mjs`, the same file for both.
    Sockets,
    /// The WASM handler, made of `handler.wat`, and the same as a module worker.
    Handler,
}

/// Where a bundle's files are.
#[derive(Debug)]
pub struct BundleFiles {
    /// For Dolmen's `--bundle`.
    pub program: PathBuf,
    /// For `workerd serve`.
    pub workerd_config: PathBuf,
    /// For Dolmen's `--bundle`: what `program` does, written in JavaScript.
    pub script: PathBuf,
}

impl Bundle {
    /// The bundle's files; those that have to be generated are put into `folder`.
    pub fn files(self, folder: &Path) -> Result<BundleFiles> {
        const PROGRAM: &str = "rows.mjs";
        const CONFIG: &str = "rows.capnp";
        let objects = install::bench_folder().join("objects");
        let in_folder = |folder: &Path, program: &str, config: &str| BundleFiles {
            program: folder.join(program),
            workerd_config: folder.join(config),
            script: objects.join("handler.mjs"),
        };
        match self {
            Bundle::Counter => Ok(in_folder(&objects, "counter.dolmen.js", "workerd.capnp")),
            Bundle::Worker => Ok(in_folder(&objects, PROGRAM, CONFIG)),
            Bundle::Handler => {
                let files = in_folder(folder, "handler.wasm", CONFIG);
                let wasm = wat::parse_file(objects.join("handler.wat"))
                    .context("handler.wat is not WebAssembly")?;
                fs::write(&files.program, wasm)?;
                Ok(files)
            }
            Bundle::Sockets => Ok(in_folder(&objects, "sockets.mjs", "sockets.capnp")),
            Bundle::LargeWorker => {
                let files = in_folder(folder, PROGRAM, CONFIG);
                let worker = fs::read_to_string(objects.join(PROGRAM))
                    .with_context(|| format!("cannot read {PROGRAM}"))?;
                fs::write(&files.program, padded(worker))?;
                fs::copy(objects.join(CONFIG), &files.workerd_config)?;
                Ok(files)
            }
        }
    }

    /// A call that a server of this bundle answers as soon as it runs.
    pub fn first_call(self) -> Call {
        match self {
            Bundle::Counter => Call::Hello,
            Bundle::Handler => Call::Page(Page::Root),
            Bundle::Worker | Bundle::LargeWorker | Bundle::Sockets => Call::Worker(Op::Hello),
        }
    }
}

/// `worker` with functions behind it as a bundler leaves them: small, named, exported by one object, so that none of
/// them can be dropped.
fn padded(mut worker: String) -> String {
    let mut count = 0;
    while worker.len() < LARGE_BYTES {
        write!(
            worker,
            "\nfunction unused{count}(options, items = []) {{\n  \
               const {{ first = {count}, last = items.length, label = \"unused {count}\" }} = options ?? {{}};\n  \
               const found = items.slice(first, last).filter((item) => item.kind === label || item.id > {count});\n  \
               for (const item of found) {{\n    \
                 if (item.done) throw new Error(`${{label}} is done: ${{JSON.stringify(item)}}`);\n    \
                 options.counts[item.id % 7] += found.length * {count};\n  \
               }}\n  \
               return {{ label, size: found.length, names: found.map((item) => item.name ?? \"none\") }};\n}}\n"
        )
        .expect("a String takes every write");
        count += 1;
    }
    let names: Vec<String> = (0..count).map(|number| format!("unused{number}")).collect();
    write!(
        worker,
        "\nglobalThis.unused = {{ {} }};\n",
        names.join(", ")
    )
    .expect("a String takes every write");
    worker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_worker_begins_with_the_worker_and_has_the_size() {
        let worker = padded("export default {};".to_owned());
        assert!(worker.starts_with("export default {};\nfunction unused0("));
        assert!((LARGE_BYTES..LARGE_BYTES + 10_000).contains(&worker.len()));
    }
}
