//! The example `hello` of each SDK whose tools this machine has; says which it skips.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use super::world::in_world_of;

fn sdk(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../sdk")
        .join(language)
}

/// Runs the program that the variable names, or else the first of `programs` that is there, in the
/// folder of the SDK.
///
/// # Errors
/// Why there is none.
fn run(language: &str, variable: &str, programs: &[&[&str]], words: &[&str]) -> Result<(), String> {
    let named = std::env::var(variable).ok();
    let named = named.as_deref().map(|named| [named]);
    let programs: Vec<&[&str]> = match &named {
        Some(named) => vec![named],
        None => programs.to_vec(),
    };
    let is_there = |program: &&&[&str]| -> bool {
        let version = if language == "c" {
            "--version"
        } else {
            "version"
        };
        let asked = Command::new(program[0])
            .args(&program[1..])
            .arg(version)
            .output();
        asked.is_ok_and(|output| output.status.success())
    };
    let Some(program) = programs.iter().find(is_there) else {
        return Err(format!("there is no {}", programs[0][0]));
    };
    let built = Command::new(program[0])
        .args(&program[1..])
        .args(words)
        .current_dir(sdk(language))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{language} does not build: {said}");
    Ok(())
}

/// Runs the SDK's own script, which ends with 3 if its tools are missing.
fn script(language: &str, wasm: &str) -> Result<(), String> {
    let built = Command::new("sh")
        .args(["build.sh", "examples/hello", wasm])
        .current_dir(sdk(language))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr).trim().to_owned();
    match built.status.code() {
        Some(0) => Ok(()),
        Some(3) => Err(said),
        _ => panic!("{language} does not build: {said}"),
    }
}

fn build(language: &str, folder: &Path) -> Result<Vec<u8>, String> {
    let wasm = folder.join(format!("{language}.wasm"));
    let to = wasm.to_str().unwrap();
    let cache = folder.join("cache");
    match language {
        "c" => run(
            language,
            "CLANG",
            &[&["clang"]],
            &[
                "--target=wasm32",
                "-msimd128",
                "-O2",
                "-nostdlib",
                "-I",
                ".",
                "-Wl,--no-entry,--stack-first",
                "examples/hello/hello.c",
                "-o",
                to,
            ],
        )?,
        "zig" => run(
            language,
            "ZIG",
            &[&["zig"], &["python3", "-m", "ziglang"]],
            &[
                "build-exe",
                "-target",
                "wasm32-freestanding",
                "-mcpu=generic+simd128",
                "-OReleaseSafe",
                "-fstrip",
                "-fno-entry",
                "-rdynamic",
                "--stack",
                "262144",
                "--dep",
                "dolmen",
                "-Mroot=examples/hello/hello.zig",
                "-Mdolmen=dolmen.zig",
                "--cache-dir",
                cache.to_str().unwrap(),
                &format!("-femit-bin={to}"),
            ],
        )?,
        _ => script(language, to)?,
    }
    Ok(std::fs::read(wasm).unwrap())
}

fn hello_of(language: &str) {
    let folder = tempfile::tempdir().unwrap();
    let wasm = match build(language, folder.path()) {
        Ok(wasm) => wasm,
        Err(why) => {
            // Past the test harness, which keeps what is printed to itself.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: the {language} guest, because {why}"
            );
            return;
        }
    };
    in_world_of(&wasm, async |w| {
        let greeting = format!("hello from {language}");
        assert_eq!(w.worker("/").await.text(), greeting);
        assert_eq!(w.object("a", "/").await.text(), greeting);
        let sums = w.worker("/simd").await;
        assert_eq!(sums.text(), r#"{"sum":36,"dot":204,"scaled":72}"#);
        assert_eq!(w.post("a", "/count", "").await.text(), "1");
        assert_eq!(w.post("a", "/count", "").await.text(), "2");
    });
}

#[test]
fn the_c_guest_runs() {
    hello_of("c");
}

#[test]
fn the_zig_guest_runs() {
    hello_of("zig");
}

#[test]
fn the_go_guest_runs() {
    hello_of("go");
}

#[test]
fn the_rust_guest_runs() {
    hello_of("rust");
}
