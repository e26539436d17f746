// Stubs: what stands here for something elsewhere, and what of here is reached from elsewhere.
//
// A reference is a root and a path of names. The root is a remote (`{remote}`: an object, an entrypoint
// or an export of another instance) or the result of a call (`{promise}`). Stubs, promises and
// properties are proxies around a function that carries its reference.
(function (native) {
  'use strict';
  const { sessions } = native;
  const MAX_PATH = 64;
  const REF = Symbol('reference');
  const { apply, get, getPrototypeOf } = Reflect;
  const hasOwn = Object.hasOwn;
  const define = Object.defineProperty;
  const { setPrototypeOf } = Object;
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
  const { dispose } = Symbol;

  // ---- classes -----------------------------------------------------------------------------------

  class RpcTarget {}

  class RpcStub {
    constructor(value) {
      if (new.target !== RpcStub) throw new TypeError('Illegal constructor');
      return stubOf(value);
    }
  }
  class RpcPromise { constructor() { throw new TypeError('Illegal constructor'); } }
  class RpcProperty { constructor() { throw new TypeError('Illegal constructor'); } }
  class Fetcher { constructor() { throw new TypeError('Illegal constructor'); } }
  class DurableObject extends Fetcher {}
  const hide = (prototype, name, value) => define(prototype, name, { value, writable: true, configurable: true });
  for (const [constructor, tag] of [[RpcStub, 'JsRpcStub'], [RpcPromise, 'JsRpcPromise'], [RpcProperty, 'JsRpcProperty'], [Fetcher, 'Fetcher'], [DurableObject, 'DurableObject']]) {
    define(constructor.prototype, Symbol.toStringTag, { value: tag, configurable: true });
  }

  // ---- references --------------------------------------------------------------------------------

  const DISPOSED = { stub: 'RPC stub used after being disposed.', promise: 'RPC promise used after being disposed.' };

  // A stub that is not for an object or an entrypoint, which have members of their own.
  const stubFor = (remote) => {
    const target = function () {};
    const root = { remote, disposed: false };
    sessions.current()?.received(root);
    target[REF] = { root, path: [], kind: 'stub', prototype: RpcStub.prototype };
    return new Proxy(target, handler);
  };
  const promiseFor = (promise) => {
    const target = function () {};
    target[REF] = { root: { promise, disposed: false }, path: [], kind: 'promise', prototype: RpcPromise.prototype };
    return new Proxy(target, handler);
  };
  const propertyOf = (ref, name) => {
    if (ref.path.length >= MAX_PATH) throw new TypeError(`RPC pipelined property path is too deep (max ${MAX_PATH}).`);
    const target = function () {};
    target[REF] = { root: ref.root, path: [...ref.path, name], kind: 'property', prototype: RpcProperty.prototype };
    return new Proxy(target, handler);
  };

  const check = (ref) => {
    if (ref.root.disposed) throw new Error(DISPOSED[ref.root.promise ? 'promise' : 'stub']);
  };

  // What is refused at once is a rejection too.
  const attempt = (work) => {
    try {
      return work();
    } catch (error) {
      return Promise.reject(error);
    }
  };

  // The value that a reference leads to, as a promise.
  const read = (ref) => attempt(() => {
    check(ref);
    const { root, path } = ref;
    if (root.remote !== undefined) return native.call(root.remote, path, undefined);
    return path.length === 0 ? root.promise : root.promise.then((value) => follow(value, path, path.length));
  });

  const callRef = (ref, args) => promiseFor(attempt(() => {
    check(ref);
    // Also if it is only known later what is called, the arguments are those of now.
    return send(ref, ref.root.remote === undefined ? native.encodeArguments(args) : args);
  }));
  const send = ({ root, path }, args) => {
    if (root.remote !== undefined) return native.call(root.remote, path, args);
    return root.promise.then((value) => {
      if (path.length === 0) return sendTo(value, undefined, args, 'result');
      const holder = follow(value, path, path.length - 1);
      const name = path[path.length - 1];
      return sendTo(isObject(holder) && (isStub(holder) || hasOwn(holder, name)) ? holder[name] : undefined, holder, args, name);
    });
  };

  // Names followed inside a result: own members of plain values, anything of a stub.
  const follow = (value, path, count) => {
    for (let i = 0; i < count; i++) {
      if (value === undefined || value === null) throw new TypeError(`Cannot read properties of ${value} (reading '${path[i]}')`);
      value = isStub(value) || (isObject(value) && hasOwn(value, path[i])) ? value[path[i]] : undefined;
    }
    return value;
  };
  const sendTo = (value, holder, encoded, name) => {
    if (value === undefined) throw lacks(name);
    if (typeof value !== 'function') throw new TypeError(`"${name}" is not a function.`);
    const ref = refOf(value);
    if (ref === undefined) return apply(value, holder, native.decodeArguments(encoded));
    check(ref);
    return send(ref, encoded);
  };

  const isStub = (value) => isObject(value) && (value[REF] !== undefined || fetchers.has(value));

  const handler = {
    get(target, name) {
      const ref = target[REF];
      if (typeof name === 'symbol') {
        if (name === REF) return ref;
        if (name === dispose && ref.kind !== 'property') return () => disposeRef(ref);
        return get(ref.prototype, name);
      }
      if (ref.kind === 'stub') {
        if (name === 'dup') return () => { check(ref); return stubFor(native.dup(ref.root.remote)); };
        if (name === 'then' || name === 'catch' || name === 'finally') {
          // A stub of a function or a target is no promise; one of a promise is.
          if (!native.isPromise(ref.root.remote)) return undefined;
        }
      }
      if (ref.kind !== 'stub' || native.isPromise(ref.root.remote)) {
        if (name === 'then') return (resolve, reject) => read(ref).then(resolve, reject);
        if (name === 'catch') return (reject) => read(ref).then(undefined, reject);
        if (name === 'finally') return (done) => read(ref).finally(done);
      }
      return propertyOf(ref, name);
    },
    apply(target, _this, args) { return callRef(target[REF], args); },
    construct() { throw new TypeError('RPC stubs are called without new.'); },
    getPrototypeOf(target) { return target[REF].prototype; },
    has(target, name) { return name === REF || name === 'prototype' || typeof name === 'string'; },
    ownKeys() { return ['prototype']; },
    set() { return false; },
    defineProperty() { return false; },
    deleteProperty() { return false; },
  };

  const disposeRef = (ref) => sessions.disposeRoot(ref.root);

  const refOf = (value) => (isObject(value) ? value[REF] : undefined);

  // ---- stubs of objects and entrypoints ----------------------------------------------------------

  const PLATFORM = Symbol.for('dolmen.platform');
  const fetcherHandler = {
    get(target, name, receiver) {
      if (name === REF) return undefined;
      if (name === PLATFORM) return 'ServiceStub cannot be serialized in this context.';
      if (hasOwn(target, name) || name in getPrototypeOf(target)) return get(target, name, receiver);
      if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined;
      return propertyOf({ root: remotes.get(target), path: [] }, name);
    },
    has(target, name) { return typeof name === 'string' ? name !== 'then' : name in target; },
  };
  const remotes = new WeakMap();
  const fetchers = new WeakMap();

  const fetcherFor = (remote, own, prototype) => {
    const target = setPrototypeOf(own, prototype);
    const root = { remote, disposed: false };
    remotes.set(target, root);
    const stub = new Proxy(target, fetcherHandler);
    fetchers.set(stub, root);
    return stub;
  };
  const rootOf = (stub, method) => {
    const root = fetchers.get(stub);
    if (root === undefined) throw new TypeError(`Illegal invocation: ${method}() needs a stub`);
    return root;
  };
  hide(Fetcher.prototype, 'fetch', function fetch(input, init) {
    return native.fetchThrough(rootOf(this, 'fetch').remote, input, init);
  });
  hide(Fetcher.prototype, 'connect', function connect() {
    throw new Error('connect() of a stub is not implemented in Dolmen.');
  });

  // ---- values in messages ------------------------------------------------------------------------

  const stubOf = (value) => {
    if (typeof value !== 'function' && !isObject(value)) throw new TypeError("Failed to construct 'JsRpcStub': constructor parameter 1 is not of type 'Object'.");
    if (refOf(value) !== undefined) throw new TypeError('A stub cannot be made of a stub.');
    return stubFor(sessions.exportValue(value, false));
  };

  const KIND = { stub: 0, fetcher: 1, error: 2, request: 3, response: 4, headers: 5, readable: 6, writable: 7, blob: 8, promise: 9 };
  const push = (caps, cap) => caps.push(cap) - 1;

  // What stands in a message for `value`; undefined if it cannot travel.
  const replace = (value, caps) => {
    const ref = value[REF];
    if (ref !== undefined) {
      check(ref);
      if (ref.kind === 'stub') return [native.isPromise(ref.root.remote) ? KIND.promise : KIND.stub, push(caps, ref.root.remote)];
      return [KIND.promise, push(caps, sessions.exportValue(value, true))];
    }
    const fetcher = fetchers.get(value);
    if (fetcher !== undefined) return [KIND.fetcher, push(caps, fetcher.remote)];
    if (typeof value === 'function') return [KIND.stub, push(caps, sessions.exportValue(value, false))];
    if (value instanceof RpcTarget) return [KIND.stub, push(caps, sessions.exportValue(value, false))];
    if (value instanceof Error || native.isError(value)) return [KIND.error, describe(value)];
    return native.replaceWeb(value, caps);
  };

  let received = null;
  const revive = (standIn, caps) => {
    const [kind, what] = standIn;
    switch (kind) {
      case KIND.stub:
      case KIND.promise: {
        const stub = stubFor(native.cap(caps, what, kind === KIND.promise));
        received?.push(stub);
        return stub;
      }
      case KIND.fetcher: {
        const remote = native.cap(caps, what, false);
        return fetcherFor(remote, {}, Fetcher.prototype);
      }
      case KIND.error: return rebuild(what);
      default: return native.reviveWeb(standIn, caps);
    }
  };

  // ---- errors ------------------------------------------------------------------------------------

  const BUILT_IN = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const NOT_SENT = new Set(['name', 'message', 'stack', 'cause', 'errors', 'remote', 'durableObjectId']);
  const describe = (error) => {
    const text = (name, fallback) => {
      try {
        const value = error[name];
        return value === undefined ? fallback : `${value}`;
      } catch {
        return fallback;
      }
    };
    const own = {};
    for (const name of Object.keys(error)) {
      if (NOT_SENT.has(name)) continue;
      const value = error[name];
      // What cannot be copied is left out, so that the rest arrives.
      if (native.isCloneable(value)) own[name] = value;
    }
    const isException = typeof DOMException === 'function' && error instanceof DOMException;
    const constructor = Object.keys(BUILT_IN).find((name) => name !== 'Error' && error instanceof BUILT_IN[name]) ?? 'Error';
    const described = { is: isException ? 'DOMException' : constructor, name: text('name', 'Error'), message: text('message', ''), own };
    if (!isException && hasOwn(error, 'cause') && (error.cause instanceof Error || native.isCloneable(error.cause))) described.cause = error.cause;
    if (error instanceof AggregateError) described.errors = [...error.errors];
    return described;
  };
  const rebuild = ({ is, name, message, own, cause, errors }) => {
    if (is === 'DOMException') return new DOMException(message, name);
    const error = new (BUILT_IN[is] ?? Error)(message);
    if (error.name !== name) hide(error, 'name', name);
    if (errors !== undefined) hide(error, 'errors', errors);
    if (cause !== undefined) hide(error, 'cause', cause);
    for (const key of Object.keys(own)) error[key] = own[key];
    // Where it was rebuilt says nothing about where it was thrown.
    hide(error, 'stack', `${name}: ${message}`);
    return error;
  };

  // ---- calls from elsewhere ----------------------------------------------------------------------

  const RESERVED = new Set(['alarm', 'webSocketMessage', 'webSocketClose', 'webSocketError', 'dup', 'constructor', 'fetch', 'connect']);
  // Refusals come from the runtime and not from the object, so they do not carry its id.
  const refusals = new WeakSet();
  const refusal = (message) => {
    const error = new TypeError(message);
    refusals.add(error);
    return error;
  };
  const lacks = (name) => refusal(`The RPC receiver does not implement the method "${name}".`);

  // A member of an instance of a class: of its class chain, never its own.
  const classMember = (holder, name, bases) => {
    if (RESERVED.has(name)) throw refusal(`'${name}' is a reserved method and cannot be called over RPC.`);
    if (hasOwn(holder, name)) throw lacks(name);
    for (let prototype = getPrototypeOf(holder); prototype !== null && !bases.has(prototype); prototype = getPrototypeOf(prototype)) {
      if (hasOwn(prototype, name)) return holder[name];
    }
    throw lacks(name);
  };

  const member = (holder, name, bases) => {
    if (!isObject(holder)) throw lacks(name);
    if (refOf(holder) !== undefined || fetchers.has(holder)) return holder[name];
    const prototype = getPrototypeOf(holder);
    if (holder instanceof RpcTarget || bases.isInstance(holder)) return classMember(holder, name, bases);
    if (prototype === Object.prototype || prototype === null || Array.isArray(holder) || typeof holder === 'function') {
      if (!hasOwn(holder, name)) throw lacks(name);
      return holder[name];
    }
    throw lacks(name);
  };

  const invoke = (target, path, args, bases) => {
    let holder;
    let value = target;
    for (const name of path) {
      holder = value;
      value = member(holder, name, bases);
    }
    if (args === undefined) {
      // A method that is read and not called is a stub that keeps its receiver.
      return path.length > 0 && typeof value === 'function' && refOf(value) === undefined ? value.bind(holder) : value;
    }
    if (typeof value !== 'function') throw refusal(`"${path[path.length - 1] ?? 'target'}" is not a function.`);
    return apply(value, holder, args);
  };

  // Collects the stubs in what `decode` gives, so that they can be disposed when the call is over.
  const collecting = (decode) => {
    const before = received;
    received = [];
    try {
      return [decode(), received];
    } finally {
      received = before;
    }
  };
  const disposeAll = (stubs) => {
    for (const stub of stubs) stub[dispose]();
  };
  // A plain object in a result disposes what it holds.
  const withDisposer = (value, stubs) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isStub(value) && !hasOwn(value, dispose)) {
      define(value, dispose, { value: () => disposeAll(stubs), configurable: true, writable: true });
    }
    return value;
  };

  return {
    RpcTarget, RpcStub, RpcPromise, RpcProperty, Fetcher, DurableObjectStub: DurableObject,
    fetcherFor, replace, revive, describe, rebuild, invoke, refusals, collecting, disposeAll, withDisposer, refOf, isObject, KIND, push,
    isException: (value) => typeof DOMException === 'function' && value instanceof DOMException,
    isPromise: (value) => { const ref = refOf(value); return ref !== undefined && ref.root.remote !== undefined && native.isPromise(ref.root.remote); },
  };
})
