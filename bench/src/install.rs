//! Finding the programs: workerd is installed from npm when missing, dolmen is built as it is now.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// This crate's folder: from cargo when cargo runs us, else where it was when this program was built.
pub fn bench_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// The workerd binary of the version that `package.json` pins. npm installs it when it is not there.
///
/// The platform's own package is used, not the `workerd` launcher: the launcher is a node script that starts the
/// server as a child, which we could then neither measure nor end.
pub fn workerd() -> Result<PathBuf> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-64",
        ("linux", "aarch64") => "linux-arm64",
        (os, arch) => {
            bail!("the benchmark runs on Linux, on x86_64 and aarch64; this is {os} on {arch}")
        }
    };
    let package = format!("@cloudflare/workerd-{platform}");
    let folder = bench_folder();
    let pinned = json_string(
        &folder.join("package.json"),
        &["optionalDependencies", &package],
    )?;
    let installed = folder.join("node_modules").join(&package);
    let version = json_string(&installed.join("package.json"), &["version"]).ok();
    if version.as_ref() != Some(&pinned) {
        eprintln!("installing workerd {pinned} with npm");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        run_quietly(npm.current_dir(&folder))
            .context("cannot install workerd into bench/node_modules")?;
    }
    let binary = installed.join("bin/workerd");
    if !binary.is_file() {
        bail!(
            "workerd is missing at {}; remove bench/node_modules and run again",
            binary.display()
        );
    }
    Ok(binary)
}

/// The dolmen binary: `given`, or the one beside this program, which cargo first brings up to date.
pub fn dolmen(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        return path
            .canonicalize()
            .with_context(|| format!("there is no dolmen at {}", path.display()));
    }
    let this = std::env::current_exe().context("cannot tell where this program is")?;
    let binary = this.with_file_name("dolmen");
    eprintln!("building dolmen");
    let profile_folder = this.parent().context("this program lies in no folder")?;
    let target_folder = profile_folder
        .parent()
        .context("this program lies in no target folder")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package", "dolmen-cli", "--target-dir"])
        .arg(target_folder);
    if profile_folder.ends_with("release") {
        cargo.arg("--release");
    }
    run_quietly(cargo.current_dir(bench_folder())).context("cannot build dolmen")?;
    if !binary.is_file() {
        bail!(
            "there is no dolmen at {}; give its place with --dolmen PATH",
            binary.display()
        );
    }
    Ok(binary)
}

/// Reads one string of a JSON file, under one key after the other.
fn json_string(file: &Path, keys: &[&str]) -> Result<String> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let value: serde_json::Value = serde_json::from_str(&text)?;
    let found = keys.iter().try_fold(&value, |value, key| value.get(key));
    let string = found.and_then(|value| value.as_str());
    Ok(string
        .with_context(|| format!("{} names no {}", file.display(), keys.join(" ")))?
        .to_owned())
}

/// Runs an installer to its end; what it says is shown only when it fails.
fn run_quietly(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} failed ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(())
}
