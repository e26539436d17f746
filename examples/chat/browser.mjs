// Headless Chromium over its DevTools protocol: windows that are typed into, read, and photographed.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

/** How long the page may take for what a check waits for. */
const LIMIT_MS = 20_000;

const KEYS = { Enter: [13, "\r"], Tab: [9, ""], Escape: [27, ""], ArrowDown: [40, ""] };

export async function launch(program) {
  const profile = mkdtempSync(join(tmpdir(), "dolmen-chromium-"));
  const child = spawn(program, ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
      const found = said.match(/DevTools listening on (ws:\S+)/);
      if (found) resolve(found[1]);
    });
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`Chromium ended:\n${said}`)));
  });
  const ws = new WebSocket(address, { perMessageDeflate: false });
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  let serial = 0;
  const calls = new Map();
  const windows = new Map();
  ws.on("message", (data) => {
    const { id, method, params, result, error, sessionId } = JSON.parse(data);
    if (id === undefined) return windows.get(sessionId)?.happened(method, params);
    const { resolve, reject } = calls.get(id);
    calls.delete(id);
    return error ? reject(new Error(error.message)) : resolve(result);
  });
  const call = (method, params = {}, sessionId) => new Promise((resolve, reject) => {
    serial += 1;
    calls.set(serial, { resolve, reject });
    ws.send(JSON.stringify({ id: serial, method, params, sessionId }));
  });
  return {
    async open(url) {
      // A context of its own, so that windows share nothing.
      const { browserContextId } = await call("Target.createBrowserContext");
      const { targetId } = await call("Target.createTarget", { url: "about:blank", browserContextId, newWindow: true, width: 900, height: 640 });
      const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
      const window = new Window((method, params) => call(method, params, sessionId));
      windows.set(sessionId, window);
      await window.call("Runtime.enable");
      await window.call("Page.enable");
      await window.call("Emulation.setFocusEmulationEnabled", { enabled: true });
      const loaded = new Promise((resolve) => { window.loaded = resolve; });
      await window.call("Page.navigate", { url });
      await loaded;
      return window;
    },
    async close() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      // It ends its helpers, which write to the profile, before itself.
      await call("Browser.close");
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

class Window {
  /// What the page threw and did not catch.
  exceptions = [];

  constructor(call) {
    this.call = call;
  }

  happened(method, params) {
    if (method === "Runtime.exceptionThrown") this.exceptions.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Page.loadEventFired") this.loaded?.();
  }

  async evaluate(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /// Waits until the expression is true; it is looked at whenever the page or its focus changes.
  async until(expression) {
    const there = await this.evaluate(`new Promise((resolve) => {
      const end = (seen) => { clearTimeout(timer); observer.disconnect(); document.removeEventListener("focusin", look); resolve(seen); };
      const look = () => { if (${expression}) end(true); };
      const observer = new MutationObserver(look);
      const timer = setTimeout(end, ${LIMIT_MS}, false);
      document.addEventListener("focusin", look);
      observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
      look();
    })`);
    if (!there) throw new Error(`never true: ${expression}\nthe page says:\n${await this.evaluate("document.body.innerText")}`);
  }

  async press(key, modifiers = 0) {
    const [windowsVirtualKeyCode, text] = KEYS[key];
    await this.call("Input.dispatchKeyEvent", { type: "keyDown", key, code: key, windowsVirtualKeyCode, modifiers, ...(text ? { text } : {}) });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, windowsVirtualKeyCode, modifiers });
  }

  type(text) {
    return this.call("Input.insertText", { text });
  }

  async photograph(path, { scheme, width, height }) {
    await this.look(scheme, width, height);
    const { data } = await this.call("Page.captureScreenshot", { format: "png" });
    writeFileSync(path, Buffer.from(data, "base64"));
  }

  /// Shows the page in that colour scheme and size.
  async look(scheme, width, height) {
    await this.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    await this.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await this.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  }
}
