// A worker that runs one of `tests` for each request, by its path.
export function serve(tests) {
  return {
    async fetch(request) {
      const name = new URL(request.url).pathname.slice(1);
      if (name === "list") return Response.json(Object.keys(tests));
      try {
        return Response.json(await tests[name]());
      } catch (error) {
        return new Response(`${error}\n${error?.stack}`, { status: 500 });
      }
    },
  };
}
