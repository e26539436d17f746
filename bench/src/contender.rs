//! The servers under comparison: what each is called and how it is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;

use crate::bundle::BundleFiles;
use crate::flags::Flags;
use crate::install;

/// A server that rows are measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Contender {
    /// Cloudflare's own runtime, from npm.
    Workerd,
    /// This project.
    Dolmen,
    /// This project, serving the WASM handler's work as JavaScript.
    Script,
    /// A bare hyper server on two threads: the most that this machine could answer.
    Hyper,
}

impl Contender {
    /// The name printed in tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Workerd => "workerd",
            Contender::Dolmen => "dolmen",
            Contender::Script => "as js",
            Contender::Hyper => "hyper",
        }
    }
}

/// Where the programs of this run are. A program that the run does not need is `None`.
#[derive(Debug)]
pub struct Programs {
    workerd: Option<PathBuf>,
    dolmen: Option<PathBuf>,
    dolmen_args: Vec<String>,
    this: PathBuf,
}

impl Programs {
    /// Finds, installs or builds what the flags call for.
    pub fn find(flags: &Flags) -> Result<Self> {
        let wanted = |contender| flags.only.is_none_or(|only| only == contender);
        Ok(Programs {
            workerd: wanted(Contender::Workerd)
                .then(install::workerd)
                .transpose()?,
            dolmen: (wanted(Contender::Dolmen) || wanted(Contender::Script))
                .then(|| install::dolmen(flags.dolmen.as_deref()))
                .transpose()?,
            dolmen_args: flags.dolmen_arg.clone(),
            this: std::env::current_exe().context("cannot tell where this program is")?,
        })
    }

    /// The command that starts `contender` at `addr` with `bundle`, keeping its files in `storage`.
    pub fn command(
        &self,
        contender: Contender,
        bundle: &BundleFiles,
        addr: SocketAddr,
        storage: &Path,
    ) -> Command {
        const FOUND: &str = "`find` has looked for every program of this run";
        match contender {
            Contender::Workerd => {
                let mut command = Command::new(self.workerd.as_ref().expect(FOUND));
                let disk = format!("disk={}", storage.display());
                command.arg("serve").arg(&bundle.workerd_config);
                command
                    .arg("--socket-addr")
                    .arg(format!("http={addr}"))
                    .arg("--directory-path")
                    .arg(disk);
                command
            }
            Contender::Dolmen | Contender::Script => {
                let mut command = Command::new(self.dolmen.as_ref().expect(FOUND));
                command
                    .arg("--addr")
                    .arg(addr.to_string())
                    .arg("--storage")
                    .arg(storage);
                let program = match contender {
                    Contender::Script => &bundle.script,
                    _ => &bundle.program,
                };
                command.arg("--bundle").arg(program).args(&self.dolmen_args);
                command
            }
            Contender::Hyper => {
                let mut command = Command::new(&self.this);
                command
                    .arg("hyper-server")
                    .arg("--addr")
                    .arg(addr.to_string());
                command
            }
        }
    }
}
