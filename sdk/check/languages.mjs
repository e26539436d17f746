// How the examples of each language are built: which tools are wanted, and the commands that their README says too.
//
// A language is {missing(), build(example, to, folder), selftest}: `missing` says what is not there, or nothing; `build`
// makes `to` of `examples/<example>` and may use `folder`; `selftest` says that there is such an example.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILD_LIMIT_MS = 300_000;
const VERSION_LIMIT_MS = 30_000;

const sdk = join(dirname(fileURLToPath(import.meta.url)), "..");
const clang = [process.env.CLANG ?? "clang"];
const zig = found([process.env.ZIG ?? "zig"], ["version"]) ?? found(["python3", "-m", "ziglang"], ["version"]);

export const languages = {
  c: {
    missing: () => needs(found(clang, ["--version"]), "clang (give CLANG)") ?? needs(found(["wasm-ld"], ["--version"]), "wasm-ld (lld)"),
    build(example, to) {
      const words = ["--target=wasm32", "-msimd128", "-O2", "-nostdlib", "-Wall", "-Wextra", "-Werror", "-I", "."];
      const sources = readdirSync(join(sdk, "c", "examples", example)).filter((name) => name.endsWith(".c"));
      run(join(sdk, "c"), clang, [...words, "-Wl,--no-entry,--stack-first", ...sources.map((name) => `examples/${example}/${name}`), "-o", to]);
    },
    selftest: true,
  },
  zig: {
    missing: () => needs(zig, "zig, nor is python3 -m ziglang (give ZIG)"),
    build(example, to, folder) {
      const words = ["build-exe", "-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-OReleaseSafe", "-fstrip", "-fno-entry", "-rdynamic"];
      const modules = ["--dep", "dolmen", `-Mroot=examples/${example}/${example}.zig`, "-Mdolmen=dolmen.zig"];
      run(join(sdk, "zig"), zig, [...words, ...modules, "--cache-dir", join(folder, "cache"), `-femit-bin=${to}`]);
    },
    selftest: true,
  },
};

/// `command` if it answers to `words`.
function found(command, words) {
  try {
    execFileSync(command[0], [...command.slice(1), ...words], { stdio: "ignore", timeout: VERSION_LIMIT_MS });
    return command;
  } catch {
    return undefined;
  }
}

function needs(tool, name) {
  return tool ? undefined : `there is no ${name}`;
}

function run(folder, command, words, env = {}) {
  const options = { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: BUILD_LIMIT_MS, env: { ...process.env, ...env } };
  try {
    execFileSync(command[0], [...command.slice(1), ...words], options);
  } catch (error) {
    throw new Error(`${[...command, ...words].join(" ")} failed in ${folder}: ${error.stderr || error.message}`);
  }
}
