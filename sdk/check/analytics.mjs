// What the example `analytics` answers, in every language.

import { answers } from "./expect.mjs";

const CSV = "price,size,same\n1.5,10,7\n2.5,20,7\n4,35,7\n-8,2.5e1,7\n100,0.125,7\n";
const price = [1.5, 2.5, 4, -8, 100];
const size = [10, 20, 35, 25, 0.125];

function sum(numbers) {
  return numbers.reduce((all, number) => all + number, 0);
}

/// The standard deviation of a population.
function stats(numbers) {
  const mean = sum(numbers) / numbers.length;
  const stddev = Math.sqrt(sum(numbers.map((number) => (number - mean) ** 2)) / numbers.length);
  return { count: numbers.length, sum: sum(numbers), mean, min: Math.min(...numbers), max: Math.max(...numbers), stddev };
}

function correlation(x, y) {
  const [mx, my] = [stats(x).mean, stats(y).mean];
  const product = sum(x.map((_, i) => (x[i] - mx) * (y[i] - my)));
  return product / x.length / stats(x).stddev / stats(y).stddev;
}

const many = Array.from({ length: 1_001 }, (_, i) => Math.sin(i) * 1e6);
const lines = (numbers) => `n\n${numbers.join("\n")}\n`;
const post = (what, body, wanted) => answers(`POST ${what}`, { body, headers: { "content-type": "text/csv" } }, wanted);
const routes = ["stats", "correlation", "normalize", "weighted", "columns"];

export const analytics = [
  ...routes.map((route) => answers(`GET /${route}`, {}, { status: 405, headers: { allow: "POST" } })),
  answers("DELETE /stats", {}, { status: 405, headers: { allow: "POST" } }),
  post("/stats", "a,b\n1,2\n3,x\n", { status: 400, has: "3" }),
  post("/stats", "a,b\n1,2\n\n3,\n", { status: 400 }),
  post("/stats", "a,b\n1\n", { status: 400, has: "2" }),
  post("/stats", "a,b\n1,2,3\n", { status: 400, has: "2" }),
  post("/correlation?x=price&y=colour", CSV, { status: 400, has: "colour" }),
  post("/correlation?x=price", CSV, { status: 400, has: "y" }),
  post("/normalize?x=colour", CSV, { status: 400, has: "colour" }),
  post("/weighted?x=price&w=colour", CSV, { status: 400, has: "colour" }),
  post("/stats", CSV, { type: "application/json", near: { price: stats(price), size: stats(size), same: { count: 5, sum: 35, mean: 7, min: 7, max: 7, stddev: 0 } } }),
  post("/stats", CSV.replaceAll("\n", "\r\n").trimEnd(), { near: { price: stats(price), size: stats(size), same: stats([7, 7, 7, 7, 7]) } }),
  post("/stats", lines(many), { near: { n: stats(many) } }),
  // The square of the mean is 1e18 here: a one-pass variance would be nothing but rounding.
  post("/stats", lines([1e9 + 1, 1e9 + 2, 1e9 + 3]), { near: { n: stats([1e9 + 1, 1e9 + 2, 1e9 + 3]) } }),
  post("/stats", lines([42]), { near: { n: { count: 1, sum: 42, mean: 42, min: 42, max: 42, stddev: 0 } } }),
  post("/correlation?x=price&y=size", CSV, { near: { correlation: correlation(price, size) } }),
  post("/correlation?x=price&y=price", CSV, { near: { correlation: 1 } }),
  post("/normalize?x=price", CSV, { near: price.map((number) => (number + 8) / 108) }),
  post("/weighted?x=price&w=size", CSV, { near: { weighted_sum: sum(price.map((number, i) => number * size[i])) } }),
  post("/columns", CSV, { type: "application/json", json: ["price", "size", "same"] }),
];
