// How the examples of each language are built, with the commands that their README says too.
//
// A language is {build(example, to, folder), compile(sources, to, folder), handler, selftest}: `build` makes `to` of
// `examples/<example>`, `compile` of files, and both may use `folder`; they throw `Missing` if the tools are not there.
// `handler` is the name of the file that the README shows, if that is to be checked; `selftest`: there is such an example.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILD_LIMIT_MS = 600_000;
const VERSION_LIMIT_MS = 30_000;
/// What a build.sh exits with if its tools are missing.
const TOOLS_MISSING = 3;

/// The tools of a language are not there; the message says which.
export class Missing extends Error {}

const sdk = join(dirname(fileURLToPath(import.meta.url)), "..");

export const languages = {
  c: {
    handler: "handler.c",
    build(example, to) {
      const folder = join(sdk, "c", "examples", example);
      this.compile(readdirSync(folder).filter((name) => name.endsWith(".c")).map((name) => join(folder, name)), to);
    },
    compile(sources, to) {
      const clang = firstOf([[process.env.CLANG ?? "clang"]], "--version", "there is no clang; name it in CLANG");
      firstOf([["wasm-ld"]], "--version", "there is no wasm-ld, which is in the package lld");
      const flags = ["--target=wasm32", "-msimd128", "-O2", "-nostdlib", "-Wall", "-Wextra", "-Werror", "-I", ".", "-Wl,--no-entry,--stack-first"];
      run(join(sdk, "c"), [...clang, ...flags, ...sources, "-o", to]);
    },
    selftest: true,
  },
  zig: {
    handler: "handler.zig",
    build(example, to, folder) {
      this.compile([join("examples", example, `${example}.zig`)], to, folder);
    },
    compile([source], to, folder) {
      const zig = firstOf([[process.env.ZIG ?? "zig"], ["python3", "-m", "ziglang"]], "version", "there is no zig, nor python3 -m ziglang; name it in ZIG");
      const flags = ["-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-OReleaseSafe", "-fstrip", "-fno-entry", "-rdynamic", "--stack", "262144"];
      const modules = ["--dep", "dolmen", `-Mroot=${source}`, "-Mdolmen=dolmen.zig"];
      run(join(sdk, "zig"), [...zig, "build-exe", ...flags, ...modules, "--cache-dir", join(folder, "cache"), `-femit-bin=${to}`]);
    },
    selftest: true,
  },
  go: scripted("go"),
  rust: scripted("rust"),
};

/// The handler that the README of a language shows, written to `folder`.
export function shown(language, handler, folder) {
  const [, source] = readFileSync(join(sdk, language, "README.md"), "utf8").match(new RegExp(`\`\`\`${handler.split(".")[1]}\n(.*?)\`\`\``, "s"));
  const file = join(folder, handler);
  writeFileSync(file, source);
  return file;
}

/// A language whose folder has a `build.sh FOLDER OUT.wasm`.
function scripted(language) {
  const folder = join(sdk, language);
  return {
    build(example, to) {
      if (!existsSync(join(folder, "build.sh"))) throw new Missing(`there is no sdk/${language}`);
      run(folder, ["sh", "build.sh", join("examples", example), to]);
    },
    nethttp: existsSync(join(folder, "examples", "nethttp")),
    selftest: existsSync(join(folder, "examples", "selftest")),
  };
}

/// The first of the commands that answers to `word`.
function firstOf(commands, word, otherwise) {
  for (const command of commands) {
    try {
      execFileSync(command[0], [...command.slice(1), word], { stdio: "ignore", timeout: VERSION_LIMIT_MS });
      return command;
    } catch {
      continue;
    }
  }
  throw new Missing(otherwise);
}

function run(folder, [program, ...words]) {
  try {
    execFileSync(program, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: BUILD_LIMIT_MS });
  } catch (error) {
    if (error.status === TOOLS_MISSING) throw new Missing(error.stderr.trim());
    throw new Error(`${[program, ...words].join(" ")} failed in ${folder}: ${error.stderr || error.message}`);
  }
}
