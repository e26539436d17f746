// Runs the shell lines of README.md on workerd and on Dolmen: both must print what stands there after `# `.
//
//   node examples/auction/check.mjs [--dolmen PATH] [--workerd PATH]

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programs, required, start } from "../../tests/conformance/server.mjs";

const SHELL_LIMIT_MS = 60_000;

const here = dirname(fileURLToPath(import.meta.url));
const [, script] = readFileSync(join(here, "README.md"), "utf8").match(/```sh\n(.*?)```/s);
const expected = script.split("\n").filter((line) => line.startsWith("# ")).map((line) => line.slice(2));

for (const on of ["workerd", "dolmen"]) {
  const given = process.argv.indexOf(`--${on}`);
  const program = required(on, given === -1 ? programs[on].path : process.argv[given + 1]);
  const folder = mkdtempSync(join(tmpdir(), "dolmen-auction-"));
  const server = await start({ on, program, root: here, entry: "worker.mjs", folder });
  try {
    // curl ends an answer without a line break, as JSON has none.
    const lines = script.replace("127.0.0.1:8787", `127.0.0.1:${server.port}`).replaceAll(/^(curl .*?)(\s+#.*)?$/gm, "$1; echo").replaceAll("&; echo", "&");
    const printed = execFileSync("bash", ["-euc", lines], { cwd: folder, timeout: SHELL_LIMIT_MS, encoding: "utf8" }).split("\n").filter(Boolean);
    const same = JSON.stringify(printed) === JSON.stringify(expected);
    console.log(same ? `${on}: ${printed.length} lines as expected` : `${on} printed\n    ${printed.join("\n    ")}\ninstead of\n    ${expected.join("\n    ")}\n${server.log()}`);
    if (!same) process.exitCode = 1;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
