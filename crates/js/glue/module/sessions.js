// What of here is reached from elsewhere, and for how long: until nobody refers to it, and in a worker no
// longer than the event that it belongs to.
(function (native) {
  'use strict';
  const { apply } = Reflect;
  const { then } = Promise.prototype;
  Symbol.dispose ??= Symbol.for('Symbol.dispose');
  Symbol.asyncDispose ??= Symbol.for('Symbol.asyncDispose');
  const { dispose } = Symbol;

  // Of each number `{ value, session, holds }`.
  const exported = new Map();
  let nextExport = 1;
  const release = (ids) => {
    for (const id of ids) {
      const entry = exported.get(id);
      if (entry === undefined) continue;
      exported.delete(id);
      entry.session?.forget(id);
      // An RpcTarget is disposed once nothing refers to it any more.
      if (drop(entry.value)) callDisposer(entry.value);
      if (entry.holds) entry.session.release();
    }
  };
  const counts = new Map();
  const hold = (value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  // Whether that was the last reference.
  const drop = (value) => {
    const left = (counts.get(value) ?? 1) - 1;
    if (left > 0) counts.set(value, left);
    else counts.delete(value);
    return left <= 0;
  };
  const callDisposer = (value) => {
    if (typeof value[dispose] !== 'function') return;
    try {
      value[dispose]();
    } catch (error) {
      native.report(error);
    }
  };
  const exportValue = (value, isPromise) => {
    const session = sending ?? current();
    const id = nextExport++;
    // What runs on after its event is over refers to nothing that can be reached.
    if (session?.over) return native.exportRemote(id, isPromise);
    const holds = sending !== undefined;
    hold(value);
    if (holds) session.hold();
    session?.exports(id);
    exported.set(id, { value, session, holds });
    return native.exportRemote(id, isPromise);
  };

  // ---- sessions ----------------------------------------------------------------------------------

  // An event of a worker, for what it exports and receives. It is over when its result has been
  // delivered, its waitUntil() promises have settled, and nothing that the result refers to is used.
  // An object has none: what it exports lives for as long as its instance.
  class Session {
    #holds = 1;
    constructor(event) { this.event = event; }
    #exports = new Set();
    // Weakly, so that stubs that nobody has any more are given back before the end.
    #received = new Set();
    #most = 64;
    get over() { return this.#holds === 0; }
    hold() { this.#holds += 1; }
    release() {
      this.#holds -= 1;
      if (this.over) this.#end();
    }
    until(promise) {
      if (this.over) return;
      this.hold();
      const release = () => this.release();
      apply(then, promise, [release, release]);
    }
    exports(id) { this.#exports.add(id); }
    forget(id) { this.#exports.delete(id); }
    received(root) {
      if (this.over) return;
      if (this.#received.size >= this.#most) {
        for (const known of this.#received) if (known.deref()?.disposed ?? true) this.#received.delete(known);
        this.#most = 2 * this.#received.size + 64;
      }
      this.#received.add(new WeakRef(root));
    }
    #end() {
      // No disposer is called: the event that it would run in is over.
      for (const id of this.#exports) {
        drop(exported.get(id).value);
        exported.delete(id);
      }
      this.#exports.clear();
      for (const known of this.#received) {
        const root = known.deref();
        if (root !== undefined) disposeRoot(root);
      }
      this.#received.clear();
    }
  }

  // The session and the event that code belongs to travel with its asynchronous context, a map that is never changed.
  const SESSION = {};
  const EVENT = {};
  const current = () => native.captureContext()?.get(SESSION);
  const runIn = (session, event, work) => {
    const before = native.swapContext(new Map(native.captureContext()).set(SESSION, session).set(EVENT, event));
    try {
      return work();
    } finally {
      native.swapContext(before);
    }
  };
  // The current event is not over before `promise` has settled.
  const keepEvent = (promise) => current()?.until(promise);
  // The events that code is part of which runs in this asynchronous context.
  const eventsOf = (context) => [context.get(EVENT), context.get(SESSION)?.event].filter((event) => event !== undefined);
  // The session whose result is encoded, if it is to last for as long as what the result refers to.
  let sending;
  const sendingResult = (session, encode) => {
    sending = session;
    try {
      return encode();
    } finally {
      sending = undefined;
    }
  };
  // Keeps it for a stream in its result: gives what to call at the stream's end, or undefined.
  const holdForStream = () => {
    const session = sending;
    if (session === undefined) return undefined;
    session.hold();
    return () => session.release();
  };

  // Gives back what a stub or a promise stands for.
  const disposeRoot = (root) => {
    if (root.disposed) return;
    root.disposed = true;
    if (root.remote !== undefined) native.dispose(root.remote);
    else root.promise.then((value) => { if (typeof value === 'object' || typeof value === 'function') value?.[dispose]?.(); }, () => {});
  };

  return {
    Session, current, runIn, sendingResult, holdForStream, exported, exportValue, release, disposeRoot,
    keepEvent, eventsOf,
  };
})
