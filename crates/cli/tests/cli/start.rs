//! Every way of not starting: one clear message, and its exit code.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::process::{Running, run};

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const COUNTER: &str = "exports.objects = { Counter: class { get() { return 1; } } };";

#[test]
fn a_bundle_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.js");
    run(&["--bundle", missing.to_str().unwrap()])
        .failed(3, &["missing.js cannot be read", "No such file"]);
    run(&["--bundle", folder.path().to_str().unwrap()]).failed(3, &["cannot be read"]);
    for (name, content, parts) in [
        (
            "none.js",
            &b"exports.object = {}"[..],
            &["none.js", "exports no objects"][..],
        ),
        (
            "empty.js",
            b"exports.objects = {}",
            &["empty.js", "put a class in it"],
        ),
        (
            "number.js",
            b"exports.objects = { A: 1 }",
            &["number.js", "exports.objects.A is not a class"],
        ),
        (
            "throws.js",
            b"\nthrow new Error('not today')",
            &["throws.js:2", "not today"],
        ),
        (
            "module.js",
            b"export class A {}",
            &[
                "module.js",
                "neither a default handler nor a class that extends DurableObject",
            ],
        ),
        (
            "syntax.mjs",
            b"\nexport default { fetch() { return 1 +; } };",
            &["syntax.mjs:2:38: SyntaxError", "2 | export default", "^"],
        ),
        (
            "using.mjs",
            b"export default { fetch() { using {a} = b(); } };",
            &["using.mjs:1:34: SyntaxError: Using declarations may not have binding patterns"],
        ),
        (
            "import.mjs",
            b"import { a } from './nowhere.js';\nexport default { fetch() {} };",
            &["import.mjs", "nowhere.js", "No such"],
        ),
        (
            "package.mjs",
            b"import express from 'express';\nexport default { fetch() {} };",
            &["\"express\"", "npx esbuild", "--bundle --format=esm", "wrangler deploy --dry-run --outdir"],
        ),
        (
            "types.ts",
            b"interface A {\n  b: string;\n}\nconst a: A = ;\n",
            &["types.ts:4:14: SyntaxError", "4 | const a: A = ;", "^"],
        ),
        (
            "top.ts",
            b"type A =\n  | 1\n  | 2;\nconst a: A = 1;\nthrow new Error(`not ${a}`);\nexport default {};",
            &["top.ts:5:", "not 1", "5 | throw new Error"],
        ),
        (
            "await.mjs",
            b"await new Promise(() => {});\nexport default { fetch() {} };",
            &["await.mjs", "top-level await"],
        ),
        ("bytes.js", b"\xff\xfe", &["bytes.js is not UTF-8"]),
        (
            "same.js",
            b"class A {}\nexports.objects = { chatRoom: A, ChatRoom: A }",
            &["`chatRoom`", "`ChatRoom`", "CHAT_ROOM"],
        ),
        ("loop.js", b"for (;;);", &["loop.js", "did not end within"]),
    ] {
        let bundle = write(folder.path(), name, content);
        run(&["--bundle", &bundle]).failed(3, parts);
    }
}

#[test]
fn a_syntax_error_shows_file_line_column_and_source() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = write(
        folder.path(),
        "room.js",
        "class Room {\n  say(text) {\n    return text +;\n  }\n}\nexports.objects = { Room };\n",
    );
    let ended = run(&["--bundle", &bundle]);
    let message = ended.failed(
        3,
        &["room.js:3:", "SyntaxError", "3 |     return text +;", "^"],
    );
    let place = message.split("room.js:3:").nth(1).unwrap();
    let column: usize = place.split(':').next().unwrap().parse().unwrap();
    assert!(column >= 1, "{message}");
}

#[test]
fn a_manifest_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = write(folder.path(), "b.js", COUNTER);
    let missing = folder.path().join("m.yaml");
    run(&["--bundle", &bundle, "--manifest", missing.to_str().unwrap()])
        .failed(3, &["m.yaml cannot be read"]);
    for (content, parts) in [
        (
            "objects: {ROOMS: ChatRoom}",
            &["ROOMS", "`ChatRoom`", "it exports Counter"][..],
        ),
        (
            "objects: {ROOMS: Counter}\nextra: 1",
            &["unknown field `extra`"],
        ),
        (
            "objects: {my-rooms: Counter}",
            &["\"my-rooms\" cannot name a namespace"],
        ),
        ("objects: [", &["m.yaml:"]),
        ("", &["m.yaml"]),
    ] {
        let manifest = write(folder.path(), "m.yaml", content);
        run(&["--bundle", &bundle, "--manifest", &manifest]).failed(3, parts);
    }
}

#[test]
fn a_manifest_needs_a_bundle() {
    run(&["--manifest", "m.yaml"]).failed(2, &["--manifest", "--bundle FILE"]);
}

#[test]
fn an_address_that_cannot_be_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(folder.path(), &[]);
    run(&["--addr", &first.addr]).failed(4, &[&first.addr, "in use", "--addr"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    run(&["--addr", &addr]).failed(4, &[&addr, "in use"]);
    run(&["--addr", "8787"]).failed(4, &["\"8787\"", "HOST:PORT"]);
    run(&["--addr", "192.0.2.1:8787"]).failed(4, &["cannot listen on 192.0.2.1:8787"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: not even root can write there.
    let file = write(folder.path(), "file", "");
    run(&["--addr", "127.0.0.1:0", "--storage", &file]).failed(5, &[&file]);
    run(&[
        "--addr",
        "127.0.0.1:0",
        "--storage",
        &format!("{file}/below"),
    ])
    .failed(5, &["could not", "file/below"]);
    // Nor here.
    run(&["--addr", "127.0.0.1:0", "--storage", "/proc/dolmen"]).failed(5, &["/proc/dolmen"]);
}

#[test]
fn a_folder_without_permission_is_named() {
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    for storage in [closed.clone(), closed.join("below")] {
        let storage = storage.to_str().unwrap();
        run(&["--addr", "127.0.0.1:0", "--storage", storage])
            .failed(5, &[storage, "Permission denied"]);
    }
}

#[test]
fn a_folder_that_another_dolmen_holds_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().to_str().unwrap();
    let first = Running::start(folder.path(), &[]);
    run(&["--addr", "127.0.0.1:0", "--storage", storage])
        .failed(5, &[storage, "in use by another Dolmen"]);
    assert_eq!(first.ask("GET", "/", "").0, 200);
}
