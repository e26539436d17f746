// The handler of the rows `wasm-…` as a module worker: /, /json, /simd and /dot answer the same as handler.wat.
import { DurableObject } from 'cloudflare:workers';

const numbers = new Float64Array([1, 2, 3, 4, 5, 6, 7, 8]);
let vectors;

function dot(a, b) {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at];
  return sum;
}

function answer(path) {
  switch (path) {
    case '/json':
      return Response.json({ message: 'hello', ok: true });
    case '/simd': {
      const sum = numbers.reduce((a, b) => a + b);
      const scaled = numbers.map((n) => n * 2).reduce((a, b) => a + b);
      return Response.json({ sum, dot: dot(numbers, numbers), scaled });
    }
    case '/dot':
      vectors ??= [new Float64Array(1_000_000).fill(1), new Float64Array(1_000_000).fill(0.5)];
      return new Response(String(dot(...vectors)));
    default:
      return new Response('hello', { headers: { 'content-type': 'text/plain' } });
  }
}

export class Handler extends DurableObject {
  fetch(request) {
    return answer(new URL(request.url).pathname.replace(/^\/do\/[^/]*/, ''));
  }
}

export default {
  fetch(request, env) {
    const path = new URL(request.url).pathname;
    if (!path.startsWith('/do/')) return answer(path);
    const name = path.split('/', 3)[2];
    return env.HANDLER.get(env.HANDLER.idFromName(name)).fetch(request);
  },
};
