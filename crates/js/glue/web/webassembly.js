// WebAssembly: https://webassembly.github.io/spec/js-api/ — shapes and checks. What runs is in src/wasm/, which knows
// modules by handles, and memories, tables and globals by numbers.
(function (native) {
  'use strict';
  const { glue } = native;
  const PAGES = 65536;
  const ENTRIES = 10_000_000;
  const numericTypes = ['i32', 'i64', 'f32', 'f64'];
  const valueTypes = [...numericTypes, 'v128', 'externref', 'anyfunc', 'funcref'];
  // Makes an object of ours around something of src/wasm/: `new Memory(given)` after `next = number`.
  const given = {};
  let next;

  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
  const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get;
  const isArrayBuffer = (value) => { try { byteLengthOf.call(value); return true; } catch { return false; } };

  function bytesOf(source, what) {
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (isArrayBuffer(source)) return new Uint8Array(source);
    throw new TypeError(`${what}: Argument 0 must be a buffer source`);
  }

  // [EnforceRange] unsigned long.
  function limit(value, what) {
    const number = Math.trunc(Number(value));
    if (!Number.isFinite(number)) throw new TypeError(`${what} must be convertible to a valid number`);
    if (number < 0) throw new TypeError(`${what}: value ${number} is below the lower bound`);
    if (number >= 2 ** 32) throw new TypeError(`${what}: value ${number} is above the upper bound`);
    return number;
  }

  function limits(descriptor, what, highest) {
    if (!isObject(descriptor)) throw new TypeError(`${what}: Argument 0 must be a descriptor`);
    const address = descriptor.address;
    if (address !== undefined && `${address}` !== 'i32') throw new TypeError(`${what}: 64-bit addresses are not supported`);
    if (descriptor.initial === undefined) throw new TypeError(`${what}: Property 'initial' is required`);
    const initial = limit(descriptor.initial, `${what}: Property 'initial'`);
    if (initial > highest) throw new RangeError(`${what}: Property 'initial': value ${initial} is above the upper bound ${highest}`);
    const wanted = descriptor.maximum;
    const maximum = wanted === undefined ? undefined : limit(wanted, `${what}: Property 'maximum'`);
    if (maximum < initial) throw new RangeError(`${what}: Property 'maximum': value ${maximum} is below the lower bound ${initial}`);
    return [initial, maximum];
  }

  function errorClass(name) {
    const make = function (message, options) {
      return Reflect.construct(Error, options === undefined ? [message] : [message, options], new.target ?? make);
    };
    Object.setPrototypeOf(make, Error);
    Object.defineProperties(make, {
      name: { value: name },
      length: { value: 1 },
      prototype: { value: Object.create(Error.prototype), writable: false },
    });
    const hidden = (value) => ({ value, writable: true, configurable: true });
    Object.defineProperties(make.prototype, { constructor: hidden(make), name: hidden(name), message: hidden('') });
    glue[name] = make;
    return make;
  }
  const [CompileError, LinkError, RuntimeError] = ['CompileError', 'LinkError', 'RuntimeError'].map(errorClass);
  glue.listOf = (iterable) => [...iterable];

  let handleOf;
  class Module {
    #handle;
    constructor(bytes) {
      this.#handle = bytes === given ? next : native.compile(bytesOf(bytes, 'WebAssembly.Module()'));
    }
    static {
      handleOf = (module, what) => {
        if (!isObject(module) || !(#handle in module)) throw new TypeError(`${what}: Argument 0 must be a WebAssembly.Module`);
        return module.#handle;
      };
    }

    static exports(module) {
      return native.exports(handleOf(module, 'WebAssembly.Module.exports()')).map(([name, kind]) => ({ name, kind }));
    }

    static imports(module) {
      return native.imports(handleOf(module, 'WebAssembly.Module.imports()')).map(([from, name, kind]) => ({ module: from, name, kind }));
    }

    static customSections(module, sectionName) {
      const handle = handleOf(module, 'WebAssembly.Module.customSections()');
      if (sectionName === undefined) throw new TypeError('WebAssembly.Module.customSections(): Argument 1 is required');
      return native.customSections(handle, `${sectionName}`);
    }
  }
  const isModule = (value) => { try { handleOf(value, ''); return true; } catch { return false; } };

  function around(Class, made, number) {
    if (made[number] === undefined) {
      next = number;
      made[number] = new Class(given);
    }
    return made[number];
  }

  const memories = [];
  let memoryNumber;
  class Memory {
    #number;
    constructor(descriptor) {
      if (descriptor === given) {
        this.#number = next;
        return;
      }
      const what = 'WebAssembly.Memory()';
      if (isObject(descriptor) && descriptor.shared) throw new TypeError(`${what}: shared memories are not supported`);
      const [initial, maximum] = limits(descriptor, what, PAGES);
      this.#number = native.newMemory(initial, maximum === undefined ? undefined : Math.min(maximum, PAGES));
      memories[this.#number] = this;
    }
    static { memoryNumber = (value) => (isObject(value) && #number in value ? value.#number : undefined); }

    get buffer() { return native.memoryBuffer(this.#number); }
    grow(delta) { return native.memoryGrow(this.#number, limit(delta, 'WebAssembly.Memory.grow(): Argument 0')); }
  }

  const tables = [];
  let tableNumber;
  class Table {
    #number;
    constructor(descriptor, ...value) {
      if (descriptor === given) {
        this.#number = next;
        return;
      }
      const what = 'WebAssembly.Table()';
      if (!isObject(descriptor)) throw new TypeError(`${what}: Argument 0 must be a table descriptor`);
      const element = `${descriptor.element}`;
      if (!['anyfunc', 'externref'].includes(element)) {
        throw new TypeError(`${what}: Descriptor property 'element' must be a WebAssembly reference type`);
      }
      const [initial, maximum] = limits(descriptor, what, ENTRIES);
      const init = value[0] === undefined ? [] : value.slice(0, 1);
      this.#number = native.newTable(element, initial, maximum, init);
      tables[this.#number] = this;
    }
    static { tableNumber = (value) => (isObject(value) && #number in value ? value.#number : undefined); }

    get length() { return native.tableLength(this.#number); }
    get(index) { return native.tableGet(this.#number, limit(index, 'WebAssembly.Table.get(): Argument 0')); }
    set(index, ...value) {
      native.tableSet(this.#number, limit(index, 'WebAssembly.Table.set(): Argument 0'), value.slice(0, 1));
    }
    grow(delta, ...value) {
      const init = value[0] === undefined ? [] : value.slice(0, 1);
      return native.tableGrow(this.#number, limit(delta, 'WebAssembly.Table.grow(): Argument 0'), init);
    }
  }

  const globals = [];
  let globalNumber;
  class Global {
    #number;
    constructor(descriptor, ...value) {
      if (descriptor === given) {
        this.#number = next;
        return;
      }
      const what = 'WebAssembly.Global()';
      if (!isObject(descriptor)) throw new TypeError(`${what}: Argument 0 must be a global descriptor`);
      const mutable = !!descriptor.mutable;
      const type = `${descriptor.value}`;
      if (!valueTypes.includes(type)) throw new TypeError(`${what}: Descriptor property 'value' must be a WebAssembly type`);
      if (type === 'v128') throw new TypeError(`${what}: a v128 has no value in JavaScript`);
      const init = value[0] === undefined ? [] : value.slice(0, 1);
      this.#number = native.newGlobal(type, mutable, init);
      globals[this.#number] = this;
    }
    static { globalNumber = (value) => (isObject(value) && #number in value ? value.#number : undefined); }

    get value() { return native.globalGet(this.#number); }
    set value(value) { native.globalSet(this.#number, value); }
    valueOf() { return native.globalGet(this.#number); }
  }

  // What src/wasm/ links to an import: a number, a function, or the value of a constant in a list.
  function linked(value, kind, type, mutable, refuse) {
    if (kind === 'function') return typeof value === 'function' ? value : refuse('function import requires a callable');
    if (kind === 'memory') return memoryNumber(value) ?? refuse('memory import must be a WebAssembly.Memory object');
    if (kind === 'table') return tableNumber(value) ?? refuse('table import requires a WebAssembly.Table');
    const number = globalNumber(value);
    if (number !== undefined) return number;
    if (mutable) return refuse('imported mutable global must be a WebAssembly.Global object');
    if (type === 'i64' && typeof value !== 'bigint') return refuse('global import must be a BigInt');
    if (type !== 'i64' && numericTypes.includes(type) && typeof value !== 'number') {
      return refuse('global import must be a number or WebAssembly.Global object');
    }
    if (type === 'v128') return refuse('a v128 has no value in JavaScript');
    if (type === 'funcref' && value !== null && native.numberOfFunction(value) === undefined) {
      return refuse('imported funcref global must be null or WebAssembly function object');
    }
    return [value];
  }

  function linksOf(handle, imports) {
    const what = 'WebAssembly.Instance()';
    const wanted = native.imports(handle);
    if (wanted.length > 0 && imports === undefined) throw new TypeError(`${what}: Imports argument must be present and must be an object`);
    return wanted.map(([from, name, kind, type, mutable], index) => {
      const module = imports[from];
      const place = `${what}: Import #${index} ${JSON.stringify(from)}`;
      if (!isObject(module)) throw new TypeError(`${place}: module is not an object or function`);
      const refuse = (why) => { throw new LinkError(`${place} ${JSON.stringify(name)}: ${why}`); };
      return linked(module[name], kind, type, mutable, refuse);
    });
  }

  class Instance {
    #exports;
    constructor(module, imports) {
      const handle = handleOf(module, 'WebAssembly.Instance()');
      if (imports !== undefined && !isObject(imports)) throw new TypeError('WebAssembly.Instance(): Argument 1 must be an object');
      const exports = Object.create(null);
      for (const [name, kind, value] of native.instantiate(handle, linksOf(handle, imports))) {
        exports[name] = kind === 'memory' ? around(Memory, memories, value)
          : kind === 'table' ? around(Table, tables, value)
            : kind === 'global' ? around(Global, globals, value) : value;
      }
      this.#exports = Object.freeze(exports);
    }

    get exports() { return this.#exports; }
  }

  async function moduleOfResponse(source, what) {
    const response = await source;
    if (!(response instanceof native.use('Response'))) throw new TypeError(`${what}: Argument 0 must be a Response or a Promise of one`);
    const type = response.headers.get('content-type') ?? '';
    if (type.trim().toLowerCase() !== 'application/wasm') {
      throw new TypeError(`${what}: Incorrect response MIME type. Expected 'application/wasm'.`);
    }
    if (!response.ok) throw new TypeError(`${what}: HTTP status code is not ok`);
    return new Module(await response.arrayBuffer());
  }

  async function instanceOf(module, imports) {
    await undefined;
    return { module, instance: new Instance(module, imports) };
  }

  const WebAssembly = {
    validate(bytes) { return native.validate(bytesOf(bytes, 'WebAssembly.validate()')); },
    async compile(bytes) { return new Module(bytesOf(bytes, 'WebAssembly.compile()')); },
    async instantiate(source, ...imports) {
      if (isModule(source)) {
        await undefined;
        return new Instance(source, imports[0]);
      }
      const what = 'WebAssembly.instantiate()';
      if (imports[0] !== undefined && !isObject(imports[0])) throw new TypeError(`${what}: Argument 1 must be an object`);
      return instanceOf(new Module(bytesOf(source, what)), imports[0]);
    },
    async compileStreaming(source) { return moduleOfResponse(source, 'WebAssembly.compileStreaming()'); },
    async instantiateStreaming(source, ...imports) {
      return instanceOf(await moduleOfResponse(source, 'WebAssembly.instantiateStreaming()'), imports[0]);
    },
  };

  const tag = (object, name) => Object.defineProperty(object, Symbol.toStringTag, { value: name, configurable: true });
  const shown = (object, names) => { for (const name of names) Object.defineProperty(object, name, { enumerable: true }); };
  for (const Class of [Module, Instance, Memory, Table, Global]) {
    native.tag(Class);
    tag(Class.prototype, `WebAssembly.${Class.name}`);
    shown(Class.prototype, Object.getOwnPropertyNames(Class.prototype).filter((name) => name !== 'constructor'));
  }
  shown(Module, ['exports', 'imports', 'customSections']);
  for (const Class of [Instance, Table, Global]) Object.defineProperty(Class, 'length', { value: 1 });
  for (const Class of [Module, Instance, Memory, Table, Global, CompileError, LinkError, RuntimeError]) {
    Object.defineProperty(WebAssembly, Class.name, { value: Class, writable: true, configurable: true });
  }
  tag(WebAssembly, 'WebAssembly');

  const moduleOfCode = (handle) => {
    next = handle;
    return new Module(given);
  };
  return { WebAssembly, moduleOfCode };
})
