// Makes dist/ from src/: groups.js and dog.js, each an ES module whose only import is `cloudflare:workers`, and their types.
//
//   node build.mjs            writes dist/
//   node build.mjs --check    exit code 1 if dist/ is not what the sources make

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const BANNER = "// Durable Object Groups. Made by packages/groups/build.mjs; the sources are in packages/groups/src.\n";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

async function made() {
  const files = new Map();
  for (const [name, entry] of [["groups.js", "src/index.ts"], ["dog.js", "src/dog.ts"]]) {
    const { outputFiles: [bundle], metafile } = await build({
      absWorkingDir: here, entryPoints: [entry], bundle: true, format: "esm", target: "es2022", write: false, metafile: true,
      external: ["cloudflare:workers"], legalComments: "none", outfile: `dist/${name}`,
    });
    const imports = Object.values(metafile.outputs)[0].imports.map(({ path }) => path);
    if (imports.some((path) => path !== "cloudflare:workers")) throw new Error(`${name} imports ${imports}`);
    files.set(name, BANNER + bundle.text);
  }
  const types = mkdtempSync(join(tmpdir(), "groups-types-"));
  try {
    execFileSync(join(here, "node_modules/.bin/tsc"), ["--declaration", "--emitDeclarationOnly", "--outDir", types], { cwd: here, stdio: "inherit" });
    const take = (name) => {
      if (files.has(name)) return;
      const text = readFileSync(join(types, name), "utf8");
      files.set(name, text);
      for (const [, path] of text.matchAll(/from "\.\/([^"]+)\.js"/g)) take(`${path}.d.ts`);
    };
    take("index.d.ts");
    take("dog.d.ts");
  } finally {
    rmSync(types, { recursive: true });
  }
  return files;
}

const files = await made();
if (process.argv.includes("--check")) {
  const old = [...files].filter(([name, text]) => !existsSync(join(dist, name)) || readFileSync(join(dist, name), "utf8") !== text).map(([name]) => name);
  const stray = readdirSync(dist).filter((name) => !files.has(name));
  if (old.length + stray.length > 0) {
    console.error(`dist/ is not what the sources make (${[...old, ...stray].join(", ")}): run \`npm run build\` and commit it`);
    process.exitCode = 1;
  }
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  for (const [name, text] of files) writeFileSync(join(dist, name), text);
}
