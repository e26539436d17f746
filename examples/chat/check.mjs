// Three people in three windows of headless Chromium talk, whisper, lose the server and find it again.
//
//   node examples/chat/check.mjs [--on workerd|dolmen] [--dolmen PATH] [--workerd PATH] [--chromium PATH] [--shots FOLDER]
//
// `--dolmen PATH` means `--on dolmen`. --shots keeps pictures of the page, light and dark.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { programs, repository, required, start } from "../../tests/conformance/server.mjs";
import { launch } from "./browser.mjs";

const SHIFT = 8;
const CONTRAST_AT_LEAST = 4.5;
const STATUS = "document.getElementById('status').textContent";

const here = dirname(fileURLToPath(import.meta.url));
const option = (name) => { const at = process.argv.indexOf(name); return at === -1 ? undefined : process.argv[at + 1]; };
const on = option("--on") ?? (option("--dolmen") ? "dolmen" : "workerd");
const program = required(on, option(`--${on}`) ?? programs[on].path);
const shots = option("--shots");
if (shots) mkdirSync(shots, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "dolmen-chat-"));
const modules = { "dolmen:groups": join(repository, "packages", "groups", "dist", "groups.js") };
const serve = (port) => start({ on, program, root: here, entry: "worker.mjs", folder, port, modules });

let server = await serve();
const browser = await launch(option("--chromium") ?? "chromium");
try {
  await conversation();
  console.log(`${on}: the chat works`);
} catch (error) {
  console.error(`${on}: ${error.stack}\n${server.log()}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function conversation() {
  const url = `http://127.0.0.1:${server.port}/`;
  const windows = [];
  for (const name of ["Ann", "Ben", "Cleo Fjord"]) {
    const window = await browser.open(url);
    if (name === "Ann") await checkLooks(window, "door");
    // The name has the focus, the room is filled in: typing and Enter are enough.
    await window.until(`document.activeElement?.id === "name"`);
    await window.type(name);
    await window.press("Enter");
    await window.until(`${STATUS} === "Connected as ${name}"`);
    windows.push(window);
  }
  const [ann, ben, cleo] = windows;
  step("each sees all three, at two tables");
  for (const window of windows) await present(window, ["Ann", "Ben", "Cleo Fjord"], 2);
  await ann.until(said("Cleo Fjord came in"));

  step("what is said to everyone is heard at every table");
  await speak(ann, "Good morning, everyone");
  for (const window of windows) await window.until(said("Good morning, everyone"));

  step("what is said to the table is heard there only");
  await ben.press("Tab", SHIFT);
  await ben.press("ArrowDown");
  assert.equal(await ben.evaluate("document.getElementById('to').value"), "table");
  await ben.press("Tab");
  await speak(ben, "Just the two of us");
  await ann.until(said("Just the two of us"));
  await ben.press("Escape");
  await speak(ben, "Hello Cleo");
  await cleo.until(said("Hello Cleo"));
  assert.equal(await cleo.evaluate(said("Just the two of us")), false);

  step("a whisper is heard by one person only, at another table");
  await speak(ann, "/w cleo fjord Lunch at noon?");
  await cleo.until(said("Lunch at noon?"));
  await ann.until(said("whispered to Cleo Fjord"));
  await cleo.evaluate("[...document.querySelectorAll('.person')].find((one) => one.textContent === 'Ann').click()");
  await speak(cleo, "Gladly. <b>Don't</b> tell Ben & co.");
  await ann.until(said("Gladly. <b>Don't</b> tell Ben & co."));
  await cleo.press("Escape");
  await speak(cleo, "Good morning to you");
  await ben.until(said("Good morning to you"));
  assert.equal(await ben.evaluate(`${said("Lunch")} || ${said("Gladly")}`), false);
  await checkLooks(ann, "chat");

  step("everyone comes back when the server was killed");
  const { port } = server;
  await server.stop("SIGKILL");
  for (const window of windows) await window.until(`${STATUS}.startsWith("Connection lost") || ${STATUS}.startsWith("Connecting")`);
  await speak(ann, "Is anybody there?");
  await ann.until(`${STATUS}.startsWith("Not connected")`);
  assert.equal(await ann.evaluate("document.getElementById('text').value"), "Is anybody there?");
  if (shots) await ann.photograph(join(shots, "chat-lost.png"), { scheme: "light", width: 900, height: 640 });
  server = await serve(port);
  for (const window of windows) await window.until(`${STATUS}.startsWith("Connected as")`);
  for (const window of windows) await present(window, ["Ann", "Ben", "Cleo Fjord"], 2);
  await ann.press("Enter");
  for (const window of windows) await window.until(said("Is anybody there?"));
  assert.ok(await cleo.evaluate(said("Good morning, everyone")));

  step("a reload is the same person");
  const loaded = new Promise((resolve) => { ben.loaded = resolve; });
  await ben.call("Page.reload");
  await loaded;
  await ben.until(`${STATUS} === "Connected as Ben"`);
  for (const window of windows) await present(window, ["Ann", "Ben", "Cleo Fjord"], 2);

  step("who leaves is gone for the others");
  await cleo.evaluate("document.getElementById('leave').click()");
  await ann.until(said("Cleo Fjord left"));
  await present(ann, ["Ann", "Ben"], 1);
  for (const window of windows) assert.deepEqual(window.exceptions, []);
}

function step(what) {
  console.log(`  ${what}`);
}

function said(text) {
  return `document.getElementById("log").innerText.includes(${JSON.stringify(text)})`;
}

async function speak(window, text) {
  assert.equal(await window.evaluate("document.activeElement.id"), "text");
  await window.type(text);
  await window.press("Enter");
}

// Waits until the list has exactly these people, at so many tables.
async function present(window, names, tables) {
  await window.until(`JSON.stringify([...document.querySelectorAll(".person .name")].map((one) => one.textContent.replace(" (you)", "")).sort()) === ${JSON.stringify(JSON.stringify(names))}`);
  await window.until(`document.querySelectorAll(".table").length === ${tables}`);
}

// Every control has a name, all text has contrast, nothing sticks out; in both colour schemes, wide and narrow.
async function checkLooks(window, what) {
  const { nodes } = await window.call("Accessibility.getFullAXTree");
  const controls = nodes.filter(({ ignored, role }) => !ignored && ["button", "textbox", "combobox", "log", "listbox"].includes(role?.value));
  assert.ok(controls.length >= 3, "the page has controls");
  for (const { role, name } of controls) assert.ok(name?.value, `a ${role.value} has no name`);
  for (const scheme of ["light", "dark"]) {
    for (const [size, width, height] of [["wide", 900, 640], ["narrow", 390, 720]]) {
      if (shots) await window.photograph(join(shots, `${what}-${scheme}-${size}.png`), { scheme, width, height });
      else await window.look(scheme, width, height);
      const faint = (await window.evaluate(`(${contrasts})()`)).filter(({ ratio }) => ratio < CONTRAST_AT_LEAST);
      assert.deepEqual(faint, [], `${scheme}: text without contrast`);
      assert.ok(await window.evaluate("document.documentElement.scrollWidth <= innerWidth"), `${what} is wider than ${width} pixels`);
    }
  }
  await window.look("light", 900, 640);
}

// Runs in the page: the contrast of each text with what is behind it.
function contrasts() {
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.closest("script")) continue;
    const [light, dark] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    found.push({ text: texts.currentNode.data.trim(), ratio: (light + 0.05) / (dark + 0.05) });
  }
  return found;
}
