// process: https://nodejs.org/api/process.html
// There is no process of an object's own: what says something about one is fixed, what would act on one throws.
(function (native) {
  'use strict';
  const { check, coded, invalidType, missing } = native.use('internal/errors');
  const EventEmitter = native.use('events');
  const VERSION = '22.19.0';
  const performance = native.web('performance');

  class ProcessExit extends Error {
    constructor(code) {
      super(`process.exit(${code ?? ''}) was called: an object cannot end its process`);
      this.code = 'ERR_PROCESS_EXIT';
      this.exitCode = code;
    }
    get name() { return 'ProcessExit'; }
  }

  // Values become text, as Node's do.
  const env = new Proxy(Object.fromEntries(native.vars), {
    set(target, key, value) {
      if (typeof key === 'symbol' || typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
      target[key] = `${value}`;
      return true;
    },
    defineProperty(target, key, found) {
      if (!('value' in found)) throw coded(TypeError, 'ERR_INVALID_OBJECT_DEFINE_PROPERTY', "'process.env' does not accept an accessor(getter/setter) descriptor");
      return Reflect.defineProperty(target, key, { value: `${found.value}`, writable: true, enumerable: true, configurable: true });
    },
  });

  function process() {}
  const prototype = Object.create(EventEmitter.prototype, {
    constructor: { value: process, writable: true, configurable: true },
    [Symbol.toStringTag]: { value: 'process', configurable: true },
  });
  const self = Object.create(prototype);
  EventEmitter.call(self);
  for (const key of ['_events', '_eventsCount', '_maxListeners']) Object.defineProperty(self, key, { value: self[key], writable: true, enumerable: false, configurable: true });

  // A line to the console for each line written.
  const output = (fd, method) => {
    let rest = '';
    const { Writable } = native.use('stream');
    const stream = new Writable({
      decodeStrings: false,
      write(chunk, encoding, done) {
        const lines = (rest + (typeof chunk === 'string' ? chunk : native.use('buffer').Buffer.from(chunk).toString())).split('\n');
        rest = lines.pop();
        for (const line of lines) globalThis.console?.[method](line);
        done();
      },
      final(done) {
        if (rest !== '') globalThis.console?.[method](rest);
        done();
      },
    });
    return Object.assign(stream, { fd, isTTY: false });
  };
  const lazy = (name, make) => Object.defineProperty(self, name, {
    configurable: true,
    enumerable: true,
    get: () => {
      const value = make();
      Object.defineProperty(self, name, { value, writable: true, enumerable: true, configurable: true });
      return value;
    },
  });

  const hrtime = (before) => {
    const now = performance.now();
    let [seconds, nanoseconds] = [Math.floor(now / 1000), Math.floor((now % 1000) * 1e6)];
    if (before !== undefined) {
      if (!Array.isArray(before)) throw invalidType('time', 'Array', before);
      seconds -= before[0];
      nanoseconds -= before[1];
      if (nanoseconds < 0) {
        seconds--;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  };
  hrtime.bigint = () => BigInt(Math.floor(performance.now() * 1e6));

  Object.assign(self, {
    env, hrtime,
    title: 'dolmen', version: `v${VERSION}`, versions: { node: VERSION, dolmen: '0.1.0' },
    arch: 'x64', platform: 'linux', release: { name: 'node', lts: 'Jod' },
    argv: ['dolmen'], argv0: 'dolmen', execArgv: [], execPath: '', pid: 1, ppid: 0, debugPort: 0,
    exitCode: undefined, features: {}, config: { variables: {}, target_defaults: {} }, allowedNodeEnvironmentFlags: new Set(),
    cwd: () => '/',
    exit(code) { throw new ProcessExit(code); },
    reallyExit(code) { throw new ProcessExit(code); },
    nextTick(callback, ...args) {
      check.function(callback, 'callback');
      queueMicrotask(args.length > 0 ? () => callback(...args) : () => callback());
    },
    uptime: () => performance.now() / 1000,
    umask: () => 0o22,
    getuid: () => 0, geteuid: () => 0, getgid: () => 0, getegid: () => 0, getgroups: () => [0],
    emitWarning(warning, type, code, from) {
      let detail;
      if (typeof type === 'object' && type !== null) ({ type, code, detail } = type);
      else if (typeof type === 'function') type = undefined;
      if (typeof code === 'function') code = undefined;
      void from;
      if (typeof warning === 'string') {
        warning = new Error(warning);
        warning.name = type ?? 'Warning';
        if (code !== undefined) warning.code = code;
        if (detail !== undefined) warning.detail = detail;
      } else if (!(warning instanceof Error)) throw invalidType('warning', ['string', 'Error'], warning);
      if (warning.name === 'DeprecationWarning' && self.noDeprecation) return;
      globalThis.console?.warn(`${warning.code ? `[${warning.code}] ` : ''}${warning.name}: ${warning.message}${warning.detail ? `\n${warning.detail}` : ''}`);
      queueMicrotask(() => self.emit('warning', warning));
    },
    getBuiltinModule(name) {
      check.string(name, 'id');
      name = name.replace(/^node:/, '');
      return name.startsWith('internal/') ? undefined : native.use(name);
    },
    setUncaughtExceptionCaptureCallback: missing('process', 'setUncaughtExceptionCaptureCallback'),
    hasUncaughtExceptionCaptureCallback: () => false,
  });
  for (const name of ['abort', 'binding', 'chdir', 'constrainedMemory', 'cpuUsage', 'dlopen', 'getActiveResourcesInfo', 'initgroups', 'kill',
    'loadEnvFile', 'memoryUsage', 'resourceUsage', 'setegid', 'seteuid', 'setgid', 'setgroups', 'setuid']) self[name] = missing('process', name);
  lazy('stdout', () => output(1, 'log'));
  lazy('stderr', () => output(2, 'error'));
  lazy('stdin', () => {
    const { Readable } = native.use('stream');
    return Object.assign(new Readable({ read() { this.push(null); } }), { fd: 0, isTTY: false });
  });
  return self;
})
