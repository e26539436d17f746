// What `cloudflare:workers` exports, what a constructor and a handler are given, and how an event begins.
(function (native) {
  'use strict';
  const { stubs, sessions } = native;
  const { RpcTarget, RpcStub, RpcPromise, RpcProperty, Fetcher, DurableObjectStub, fetcherFor, isObject } = stubs;
  const define = Object.defineProperty;
  const hide = (object, name, value) => define(object, name, { value, writable: true, configurable: true });
  const then = Promise.prototype.then;
  const { apply } = Reflect;
  const missing = (what) => { throw new Error(`${what} is not implemented in Dolmen.`); };

  // ---- base classes ------------------------------------------------------------------------------

  class DurableObject {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }
  class WorkerEntrypoint {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.env = env;
    }
  }
  class WorkflowEntrypoint { constructor() { missing('WorkflowEntrypoint'); } }
  for (const [constructor, tag] of [[DurableObject, 'DurableObject'], [WorkerEntrypoint, 'WorkerEntrypoint']]) {
    define(constructor.prototype, Symbol.toStringTag, { value: tag, configurable: true });
  }
  // Members of these prototypes are nobody's methods.
  const bases = new Set([Object.prototype, DurableObject.prototype, WorkerEntrypoint.prototype, RpcTarget.prototype]);
  bases.isInstance = (value) => value instanceof DurableObject || value instanceof WorkerEntrypoint;

  // ---- ids and namespaces ------------------------------------------------------------------------

  const NAME_OF = Symbol('name');
  let hexOf;
  let idNamespace;
  class DurableObjectId {
    #hex;
    #namespace;
    static {
      hexOf = (id) => (isObject(id) && #hex in id ? id.#hex : undefined);
      idNamespace = (id) => id.#namespace;
    }
    constructor(key, namespace, hex, name, jurisdiction) {
      if (key !== NAME_OF) throw new TypeError('Illegal constructor');
      this.#hex = hex;
      this.#namespace = namespace;
      if (name !== undefined) define(this, 'name', { value: name, enumerable: true });
      if (jurisdiction !== undefined) define(this, 'jurisdiction', { value: jurisdiction, enumerable: true });
    }
    toString() { return this.#hex; }
    equals(other) {
      const hex = hexOf(other);
      if (hex === undefined) throw new TypeError("Failed to execute 'equals' on 'DurableObjectId': parameter 1 is not of type 'DurableObjectId'.");
      return hex === this.#hex;
    }
  }
  define(DurableObjectId.prototype, Symbol.toStringTag, { value: 'DurableObjectId', configurable: true });
  const makeId = (namespace, hex, name, jurisdiction) => new DurableObjectId(NAME_OF, namespace, hex, name, jurisdiction);

  const JURISDICTIONS = ['eu', 'fedramp', 'fedramp-high', 'us'];
  const jurisdictionOf = (value) => {
    if (value === undefined || value === null) return undefined;
    if (!JURISDICTIONS.includes(`${value}`)) throw new TypeError(`Unknown jurisdiction: ${value}`);
    return `${value}`;
  };

  const checkRetry = (retry) => {
    for (const [name, least, most] of [['maxRetries', 0, 10], ['timeoutMs', 500, 60000]]) {
      const value = retry?.[name];
      if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
        throw new RangeError(`retry.${name} must be an integer between ${least} and ${most}`);
      }
    }
  };

  class DurableObjectNamespace {
    #index;
    #jurisdiction;
    constructor(key, index, jurisdiction) {
      if (key !== NAME_OF) throw new TypeError('Illegal constructor');
      this.#index = index;
      this.#jurisdiction = jurisdiction;
    }
    newUniqueId(options) {
      const jurisdiction = jurisdictionOf(options?.jurisdiction) ?? this.#jurisdiction;
      return makeId(this.#index, native.randomId(this.#index), undefined, jurisdiction);
    }
    idFromName(name) {
      if (arguments.length === 0) throw new TypeError("Failed to execute 'idFromName' on 'DurableObjectNamespace': parameter 1 is not of type 'string'.");
      name = `${name}`;
      // The same name in another jurisdiction is another object.
      const seed = this.#jurisdiction === undefined ? name : `${this.#jurisdiction}\0${name}`;
      return makeId(this.#index, native.idFromName(this.#index, seed), name, this.#jurisdiction);
    }
    idFromString(hex) {
      return makeId(this.#index, native.parseId(this.#index, `${hex}`), undefined, this.#jurisdiction);
    }
    get(id, options) {
      if (hexOf(id) === undefined) throw new TypeError("Failed to execute 'get' on 'DurableObjectNamespace': parameter 1 is not of type 'DurableObjectId'.");
      if (idNamespace(id) !== this.#index) throw new TypeError('Durable Object ID is not valid for this namespace.');
      if (this.#jurisdiction !== undefined && id.jurisdiction !== this.#jurisdiction) {
        throw new TypeError('get called on jurisdictional subnamespace with an ID from a different jurisdiction');
      }
      const mode = options?.routingMode;
      if (mode !== undefined && mode !== 'primary-only') throw new RangeError(`unknown routingMode: ${mode}`);
      checkRetry(options?.retry);
      const own = { id, name: id.name };
      return fetcherFor(native.objectRemote(this.#index, hexOf(id), id.name), own, DurableObjectStub.prototype);
    }
    getByName(name, options) {
      if (arguments.length === 0) throw new TypeError("Failed to execute 'getByName' on 'DurableObjectNamespace': parameter 1 is not of type 'string'.");
      return this.get(this.idFromName(name), options);
    }
    getExisting() { missing('getExisting()'); }
    jurisdiction(jurisdiction) {
      return new DurableObjectNamespace(NAME_OF, this.#index, jurisdictionOf(jurisdiction));
    }
  }
  for (const constructor of [DurableObjectId, DurableObjectNamespace]) native.markPlatform(constructor.prototype);
  define(DurableObjectNamespace.prototype, Symbol.toStringTag, { value: 'DurableObjectNamespace', configurable: true });

  const env = {};
  for (const [index, name] of native.namespaces.entries()) env[name] = new DurableObjectNamespace(NAME_OF, index);
  native.addBindings?.(env, native.bindings, (name, props) => fetcherFor(native.entrypointRemote(name, props), {}, Fetcher.prototype));

  // ---- ctx.exports -------------------------------------------------------------------------------

  // A loopback binding: a stub that can also be called with props.
  const loopback = (name) => {
    const bind = (options) => fetcherFor(native.entrypointRemote(name, options?.props), {}, Fetcher.prototype);
    const stub = bind();
    return new Proxy(function () {}, {
      get: (_target, member) => {
        const value = stub[member];
        return typeof value === 'function' && member in Fetcher.prototype ? value.bind(stub) : value;
      },
      apply: (_target, _this, [options]) => bind(options),
      getPrototypeOf: () => Fetcher.prototype,
    });
  };
  const exports = {};
  const fillExports = () => {
    for (const [name, index] of native.objectExports) exports[name] = new DurableObjectNamespace(NAME_OF, index);
    for (const name of native.entrypointExports) exports[name] = loopback(name);
    for (const name of native.classExports) exports[name] ??= classExport();
  };

  // A class that is no binding: with props it is what a facet would be made of.
  class DurableObjectClass { constructor() { throw new TypeError('Illegal constructor'); } }
  define(DurableObjectClass.prototype, Symbol.toStringTag, { value: 'DurableObjectClass', configurable: true });
  native.markPlatform(DurableObjectClass.prototype);
  const classExport = () => (options) => {
    if (options?.props !== undefined && !isObject(options.props)) {
      throw new TypeError("Incorrect type for the 'props' field on 'Options': the provided value is not of type 'Object'.");
    }
    return Object.create(DurableObjectClass.prototype);
  };

  // ---- contexts ----------------------------------------------------------------------------------

  const waitUntil = (promise, session = sessions.current()) => {
    const settled = Promise.resolve(promise);
    session?.until(settled);
    apply(then, settled, [undefined, (error) => native.report(error)]);
  };

  class ExecutionContext {
    #session = sessions.current();
    constructor(key, props) {
      if (key !== NAME_OF) throw new TypeError('Illegal constructor');
      hide(this, 'props', props);
    }
    get exports() { return exports; }
    waitUntil(promise) { waitUntil(promise, this.#session); }
    passThroughOnException() {}
    abort(reason) { native.abort(messageOf(reason)); }
  }
  define(ExecutionContext.prototype, Symbol.toStringTag, { value: 'ExecutionContext', configurable: true });

  const messageOf = (reason) => {
    if (reason === undefined) return 'Application called abort() to reset Durable Object.';
    return isObject(reason) && 'message' in reason ? `${reason.message}` : `${reason}`;
  };

  // The section that code belongs to travels with its asynchronous context, a map that is never changed.
  const SECTION = {};
  const sectionOf = (context) => context?.get(SECTION) ?? 0;
  const inSection = (id, work) => {
    const before = native.swapContext(new Map(native.captureContext()).set(SECTION, id));
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error);
    } finally {
      native.swapContext(before);
    }
  };
  // Shuts the input gate, and runs `work` in a later turn. `onError` gets what it fails with.
  const section = (work, onError) => {
    const id = native.beginSection();
    const promise = apply(then, native.nextTurn(id), [() => inSection(id, work)]);
    return apply(then, promise, [
      (value) => {
        native.endSection(id);
        return value;
      },
      (error) => onError(error, id),
    ]);
  };
  const blockConcurrencyWhile = (work) => {
    if (typeof work !== 'function') throw new TypeError("Failed to execute 'blockConcurrencyWhile' on 'DurableObjectState': parameter 1 is not of type 'function'.");
    return section(work, (error) => {
      // The object is reset, and this promise never settles.
      native.abortWith(error);
      return new Promise(() => {});
    });
  };
  // As blockConcurrencyWhile, but a failure is the caller's and resets nothing.
  const criticalSection = (work) => section(work, (error, id) => {
    native.endSection(id);
    throw error;
  });

  class DurableObjectFacets {
    constructor(key) { if (key !== NAME_OF) throw new TypeError('Illegal constructor'); }
    get() { missing('ctx.facets.get()'); }
    abort() { missing('ctx.facets.abort()'); }
    delete() { missing('ctx.facets.delete()'); }
    clone() { missing('ctx.facets.clone()'); }
  }
  define(DurableObjectFacets.prototype, Symbol.toStringTag, { value: 'DurableObjectFacets', configurable: true });
  const facets = new DurableObjectFacets(NAME_OF);

  class DurableObjectState {
    constructor(key, id, storage, props) {
      if (key !== NAME_OF) throw new TypeError('Illegal constructor');
      hide(this, 'id', id);
      hide(this, 'storage', storage);
      hide(this, 'props', props);
    }
    get exports() { return exports; }
    get container() { return undefined; }
    get facets() { return facets; }
    waitUntil(promise) { waitUntil(promise); }
    blockConcurrencyWhile(work) { return blockConcurrencyWhile(work); }
    abort(reason, options) { native.abort(messageOf(reason), options?.retryAlarm ?? true); }
    acceptWebSocket(webSocket, tags) { native.use('hibernation').accept(webSocket, tags); }
    getWebSockets(tag) { return native.use('hibernation').list(tag); }
    getTags(webSocket) { return native.use('hibernation').tags(webSocket); }
    setWebSocketAutoResponse(pair) { native.use('hibernation').setAutoResponse(pair); }
    getWebSocketAutoResponse() { return native.use('hibernation').autoResponse(); }
    getWebSocketAutoResponseTimestamp(webSocket) { return native.use('hibernation').autoResponseTime(webSocket); }
    setHibernatableWebSocketEventTimeout(timeout) { native.use('hibernation').setEventTimeout(timeout); }
    getHibernatableWebSocketEventTimeout() { return native.use('hibernation').eventTimeout(); }
  }
  define(DurableObjectState.prototype, Symbol.toStringTag, { value: 'DurableObjectState', configurable: true });

  // ---- the instance ------------------------------------------------------------------------------

  let module;
  let root;
  const construct = (namespace, className) => {
    const Class = module[className];
    const id = makeId(native.self.namespace, native.self.hex, native.self.name);
    const storage = native.makeStorage(typeof Class.prototype.alarm === 'function', { blockConcurrencyWhile: criticalSection });
    root = new Class(new DurableObjectState(NAME_OF, id, storage, {}), env);
  };

  const entrypoint = (name, props) => {
    const value = module[name];
    if (value === undefined) throw new TypeError(`The worker has no entrypoint ${JSON.stringify(name)}.`);
    const ctx = new ExecutionContext(NAME_OF, props ?? {});
    if (typeof value === 'function') return [new value(ctx, env), ctx, true];
    return [value, ctx, false];
  };

  // ---- events ------------------------------------------------------------------------------------

  const fail = (id, error) => native.settle(id, stubs.isObject(error) && stubs.refusals.has(error) ? 'refusal' : '', false, error);
  // `lasting` is the session that lasts for as long as what the result refers to; `ended` is told when the result is out.
  const settle = (id, kind, work, lasting, ended) => {
    const succeed = (result) => {
      sessions.sendingResult(lasting, () => native.settle(id, kind, true, result));
      ended?.();
    };
    const refuse = (error) => {
      fail(id, error);
      ended?.();
    };
    let value;
    try {
      value = work();
    } catch (error) {
      return refuse(error);
    }
    if (isObject(value) && typeof value.then === 'function') {
      // The path of a promise of the engine's own takes no extra turns of the queue.
      const promise = value instanceof Promise ? value : new Promise((resolve, reject) => { value.then(resolve, reject); });
      apply(then, promise, [succeed, refuse]);
      return;
    }
    succeed(value);
  };
  // An event of a worker runs in a session: its own, or that of the export that is called.
  const begin = (id, kind, called, work) => {
    if (native.self !== undefined) return settle(id, kind, work);
    const session = called === undefined ? new sessions.Session(id) : called.session;
    sessions.runIn(session, id, () => {
      if (called === undefined) settle(id, kind, work, session, () => session.release());
      else settle(id, kind, work, called.holds ? session : undefined);
    });
  };

  // A promise as an argument stands for its value, which the call waits for.
  const withoutPromises = (args, call) => {
    if (args === undefined || !args.some(stubs.isPromise)) return call(args);
    return Promise.all(args.map((arg) => (stubs.isPromise(arg) ? arg : [arg]))).then((values) => call(values.map((value, i) => (stubs.isPromise(args[i]) ? value : value[0]))));
  };

  const beginCall = (id, targetKind, what, props, path, decode) => {
    const called = targetKind === 'export' ? sessions.exported.get(what) : undefined;
    begin(id, 'call', called, () => call(targetKind, called, what, props, path, decode));
  };
  const call = (targetKind, called, what, props, path, decode) => {
    const [args, received] = decode === undefined ? [undefined, []] : stubs.collecting(decode);
    let target;
    if (targetKind === 'export') {
      if (called === undefined) throw new Error('The execution context which hosts this callback is no longer running.');
      target = called.value;
    } else if (targetKind === 'entrypoint') {
      [target] = entrypoint(what, props);
    } else if (native.self === undefined) {
      [target] = entrypoint('default', undefined);
    } else {
      target = root;
      if (!(root instanceof DurableObject)) {
        throw new TypeError("The receiving Durable Object does not support RPC, because its class was not declared with `extends DurableObject`. In order to enable RPC, make sure your class extends the special class `DurableObject`, which can be imported from the module \"cloudflare:workers\".");
      }
    }
    const result = withoutPromises(args, (given) => stubs.invoke(target, path, given, bases));
    if (received.length === 0) return result;
    // Stubs in arguments end with the call; who needs them longer makes a dup().
    return Promise.resolve(result).finally(() => queueMicrotask(() => stubs.disposeAll(received)));
  };

  const beginFetch = (id, targetKind, what, props, request) => begin(id, 'fetch', undefined, () => {
    if (targetKind === 'export') throw new TypeError('The RPC receiver does not implement fetch().');
    if (native.self !== undefined) {
      if (typeof root.fetch !== 'function') throw new Error('Handler does not export a fetch() function.');
      return root.fetch(request);
    }
    const [target, ctx, isClass] = entrypoint(targetKind === 'entrypoint' ? what : 'default', props);
    if (typeof target.fetch !== 'function') throw new Error('Handler does not export a fetch() function.');
    return isClass ? target.fetch(request) : target.fetch(request, env, ctx);
  });

  const beginSocket = (id, socket, kind, a, b) => settle(id, 'socket', () => native.use('hibernation').dispatch(root, socket, kind, a, b));

  const beginAlarm = (id, info) => settle(id, 'alarm', () => root.alarm(info));

  // A call through the gateway's /rpc/ route: as by a stub, with arguments and a result in JSON.
  const beginJson = (id, method, args) => settle(id, 'json', () => stubs.invoke(root, [method], args, bases));

  const cache = new Proxy({}, { get: () => missing('cache') });
  return {
    start(namespace, isObjectInstance, className) {
      module = namespace;
      fillExports();
      if (isObjectInstance) construct(namespace, className);
    },
    beginCall, beginFetch, beginSocket, beginAlarm, beginJson, sectionOf,
    bases: { DurableObject, WorkerEntrypoint },
    workers: {
      DurableObject, WorkerEntrypoint, WorkflowEntrypoint, RpcTarget, RpcStub, RpcPromise, RpcProperty,
      ServiceStub: Fetcher, env, exports, waitUntil, cache,
      withEnv: () => missing('withEnv()'), withExports: () => missing('withExports()'), withEnvAndExports: () => missing('withEnvAndExports()'),
      abortIsolate: () => missing('abortIsolate()'), restore: Symbol.for('cloudflare:workers restore'),
      tracing: new Proxy({}, { get: () => missing('tracing') }),
    },
  };
})
