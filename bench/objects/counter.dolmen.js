// The benchmark's object for Dolmen. It does the work of counter.workerd.js, call for call.
class Counter {
  constructor(state, env) {
    this.state = state;
    this.called = false;
  }

  hello(name) {
    return `hello, ${name}`;
  }

  read() {
    this.called = true;
    return this.state.storage.get("count") ?? 0;
  }

  increment() {
    this.called = true;
    const count = (this.state.storage.get("count") ?? 0) + 1;
    this.state.storage.put("count", count);
    return count;
  }

  // 1 when this instance has been called before, 0 when it was evicted and made anew.
  live() {
    return this.called ? 1 : 0;
  }

  fetch(request) {
    return { status: 200, headers: { "content-type": "text/plain" }, body: `hello, ${request.method}` };
  }
}

exports.objects = { Counter };
