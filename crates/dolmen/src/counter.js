// The built-in example: a counter that survives restarts.
class Counter {
  constructor(state, env) {
    this.storage = state.storage;
    this.count = this.storage.get("count") ?? 0;
  }

  get() {
    return this.count;
  }

  increment(by = 1) {
    if (!Number.isFinite(by)) throw new TypeError("increment takes a number");
    return this.#set(this.count + by);
  }

  decrement(by = 1) {
    if (!Number.isFinite(by)) throw new TypeError("decrement takes a number");
    return this.#set(this.count - by);
  }

  reset() {
    return this.#set(0);
  }

  fetch(req) {
    const route = `${req.method} ${req.path}`;
    if (route === "GET /count") return String(this.count);
    if (route === "POST /increment") return String(this.increment());
    if (route === "GET /") return "GET /count tells the count, POST /increment adds one\n";
    return { status: 404, body: "GET /count or POST /increment\n" };
  }

  #set(count) {
    this.storage.put("count", count);
    this.count = count;
    return count;
  }
}

exports.objects = { Counter };
