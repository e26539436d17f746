// What a check is made of: {title, run(server, language)}, and the comparisons that fail with both sides in the text.

import { ask } from "./server.mjs";

const TOLERANCE = 1e-9;

/// One request and its answer. `wanted`: {status, type, text, json, near, has, headers, cookies}, all but `status` as they
/// are given; `near` is compared with a tolerance, `has` is a part of the text. A function of them gets the language.
export function answers(what, request, wanted) {
  return { title: what, run: async (server, language) => compare(await ask(server, what, request), wanted, language) };
}

export function flow(title, run) {
  return { title, run };
}

export function compare(answer, { status = 200, type, text, json, near, has, headers = {}, cookies }, language) {
  equal(answer.status, status, `status (${answer.text.slice(0, 300)})`);
  if (type !== undefined) equal(answer.headers["content-type"]?.split(";")[0], type, "content type");
  if (text !== undefined) equal(answer.text, typeof text === "function" ? text(language) : text, "body");
  // As text, so that the order of the keys counts and blanks do.
  if (json !== undefined) equal(answer.text.trimEnd(), JSON.stringify(typeof json === "function" ? json(language) : json), "body");
  if (near !== undefined) close(JSON.parse(answer.text), near, "");
  if (has !== undefined && !answer.text.includes(has)) throw new Error(`${show(has)} is not in ${show(answer.text)}`);
  for (const [name, value] of Object.entries(headers)) equal(answer.headers[name], value, `header ${name}`);
  if (cookies !== undefined) equal(answer.cookies, cookies, "cookies");
}

export function equal(got, wanted, what) {
  if (show(got) !== show(wanted)) throw new Error(`${what}: ${show(got)} instead of ${show(wanted)}`);
}

/// Numbers may differ by 1e-9 of themselves; all else, also the order of keys, is the same.
export function close(got, wanted, at) {
  if (typeof wanted === "number") {
    const near = typeof got === "number" && Math.abs(got - wanted) <= TOLERANCE * Math.max(Math.abs(got), Math.abs(wanted));
    if (!near) throw new Error(`${at || "body"}: ${show(got)} instead of ${wanted}`);
  } else if (wanted !== null && typeof wanted === "object") {
    equal(Object.keys(got ?? {}), Object.keys(wanted), `keys of ${at || "body"}`);
    for (const key of Object.keys(wanted)) close(got[key], wanted[key], `${at}.${key}`);
  } else {
    equal(got, wanted, at || "body");
  }
}

function show(value) {
  return JSON.stringify(value);
}
