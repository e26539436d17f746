// Makes a component of handler.js, with componentize-js.
//
//   npm install --prefix FOLDER @bytecodealliance/componentize-js@0.23
//   node examples/component/build.mjs --tools FOLDER OUTPUT.wasm

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/// The version of WASI that StarlingMonkey exports; any 0.2 is served.
const WASI = "0.2.10";
const METADATA_BYTES = 64 << 20;

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "..", "..");

/// The component, as bytes.
export async function build(tools) {
  const entry = join(resolve(tools), "node_modules", "@bytecodealliance", "componentize-js", "src", "componentize.js");
  if (!existsSync(entry)) {
    console.error(`${entry} is missing: run \`npm install --prefix ${tools} --no-package-lock\``);
    process.exit(2);
  }
  const { componentize } = await import(pathToFileURL(entry));
  const folder = mkdtempSync(join(tmpdir(), "dolmen-component-"));
  try {
    const wit = interfaces(folder);
    const { component } = await componentize({
      sourcePath: join(here, "handler.js"),
      witPath: wit,
      worldName: "app",
      // It answers one request for each instance, and an object has one instance for all.
      disableFeatures: ["fetch-event"],
    });
    return component;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/// A folder with the world and what it refers to: WASI's interfaces from the crate that Dolmen has them from, and Dolmen's own.
function interfaces(folder) {
  const [, platform] = execFileSync("rustc", ["-vV"], { encoding: "utf8" }).match(/^host: (.*)$/m);
  const metadata = execFileSync("cargo", ["metadata", "--format-version", "1", "--filter-platform", platform], { cwd: repository, maxBuffer: METADATA_BYTES, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const crate = JSON.parse(metadata).packages.find((crate) => crate.name === "wasmtime-wasi-http");
  const wasi = join(dirname(crate.manifest_path), "wit", "deps");
  const deps = join(folder, "deps");
  mkdirSync(join(deps, "object"), { recursive: true });
  for (const file of readdirSync(wasi)) {
    const text = readFileSync(join(wasi, file), "utf8");
    const [, version] = text.match(/^package .*@(.*);/m);
    writeFileSync(join(deps, file), text.replaceAll(version, WASI));
  }
  const own = join(repository, "crates", "wasm", "wit");
  cpSync(join(own, "object.wit"), join(deps, "object", "object.wit"));
  cpSync(join(own, "deps"), deps, { recursive: true });
  cpSync(join(here, "app.wit"), join(folder, "app.wit"));
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , flag, tools, output] = process.argv;
  if (flag !== "--tools" || !output) {
    console.error("usage: node build.mjs --tools FOLDER OUTPUT.wasm");
    process.exit(2);
  }
  writeFileSync(output, await build(tools));
}
