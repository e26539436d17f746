// Many requests to one object. Its memory has a limit that they would fill if one copy of each body stayed.

import { ask } from "./server.mjs";
import { equal, flow } from "./expect.mjs";

const AT_ONCE = 8;
const BODY_BYTES = 2_048;

/// An instance that runs out of its memory panics, which is an answer of 500.
export function memory(requests) {
  const title = `${requests} requests of ${BODY_BYTES} bytes do not fill the memory of an object`;
  return [flow(title, async (server) => {
    const body = "x".repeat(BODY_BYTES);
    const headers = { "content-type": "text/plain", cookie: "a=1; b=2" };
    let left = requests;
    const worker = async () => {
      while (left-- > 0) {
        const { status, text } = await ask(server, `POST /do/memory/echo?number=${left}`, { headers, body });
        if (status !== 200 || text !== body) equal([status, text.slice(0, 200)], [200, body.slice(0, 200)], `answer, ${left} requests before the end`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  })];
}
