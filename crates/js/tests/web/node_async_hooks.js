const { AsyncLocalStorage, AsyncResource, createHook } = node('async_hooks');

test('run, getStore, nesting, results and errors', () => {
  const storage = new AsyncLocalStorage();
  equal(storage.getStore(), undefined);
  equal(storage.run(1, (a, b) => [storage.getStore(), a, b], 'a', 'b'), [1, 'a', 'b']);
  storage.run(1, () => {
    equal(storage.run(2, () => storage.getStore()), 2);
    equal(storage.getStore(), 1);
    throws(() => storage.run(3, () => { throw new Error('mine') }), 'Error', 'mine');
    equal(storage.getStore(), 1);
    equal(storage.exit(() => storage.getStore()), undefined);
    equal(storage.getStore(), 1);
  });
  equal(storage.getStore(), undefined);
  throws(() => storage.run(1), 'TypeError', 'The "callback" argument must be of type function. Received undefined');
});
test('a store follows awaits, reactions, microtasks and timers', async () => {
  const storage = new AsyncLocalStorage();
  const seen = [];
  const note = (what) => seen.push(`${what} ${storage.getStore()}`);
  const work = async (name) => {
    note(name);
    await null;
    note(name);
    await sleep(1);
    note(name);
    await Promise.all([1, 2].map(async (n) => { await n; note(`${name}${n}`) }));
    await new Promise((resolve) => queueMicrotask(() => { note(name); resolve() }));
    await { then(go) { note(name); go() } };
    try { await Promise.reject(1) } catch { note(name) } finally { note(name) }
  };
  await Promise.all([storage.run('one', () => work('a')), storage.run('two', () => work('b')), work('c')]);
  equal(seen.length, 27);
  for (const line of seen) equal(line.split(' ')[1], { a: 'one', b: 'two', c: 'undefined' }[line[0]], line);
  equal(storage.getStore(), undefined);
});
test('interleaved requests do not see each other', async () => {
  const storage = new AsyncLocalStorage();
  const handle = (id) => storage.run({ id }, async () => {
    for (let step = 0; step < 5; step++) {
      await sleep(id % 3);
      equal(storage.getStore().id, id);
    }
    return storage.getStore().id;
  });
  equal(await Promise.all(Array.from({ length: 20 }, (_, id) => handle(id))), Array.from({ length: 20 }, (_, id) => id));
});
test('two storages are independent', async () => {
  const [a, b] = [new AsyncLocalStorage(), new AsyncLocalStorage({ defaultValue: 'default', name: 'b' })];
  equal(b.name, 'b');
  equal(b.getStore(), 'default');
  await a.run(1, () => b.run(2, async () => {
    await null;
    equal([a.getStore(), b.getStore()], [1, 2]);
    a.exit(() => equal([a.getStore(), b.getStore()], [undefined, 2]));
    b.exit(() => equal([a.getStore(), b.getStore()], [1, 'default']));
  }));
});
test('enterWith lasts for the rest of the job and what it starts', async () => {
  const storage = new AsyncLocalStorage();
  const other = (async () => { await null; await null; return storage.getStore() })();
  await (async () => {
    await null;
    storage.enterWith('entered');
    equal(storage.getStore(), 'entered');
    await null;
    equal(storage.getStore(), 'entered');
  })();
  equal(await other, undefined);
  equal(storage.getStore(), undefined);
});
test('disable forgets the stores, and run starts again', async () => {
  const storage = new AsyncLocalStorage();
  await storage.run(1, async () => {
    storage.disable();
    equal(storage.getStore(), undefined);
    await null;
    equal(storage.getStore(), undefined);
    equal(storage.run(2, () => storage.getStore()), 2);
  });
});
test('bind and snapshot', () => {
  const storage = new AsyncLocalStorage();
  const bound = storage.run(1, () => AsyncLocalStorage.bind(function (x) { return [this?.me, storage.getStore(), x] }));
  equal(storage.run(2, () => bound.call({ me: 'me' }, 'x')), ['me', 1, 'x']);
  const snapshot = storage.run(3, () => AsyncLocalStorage.snapshot());
  equal(storage.run(4, () => snapshot((x) => [storage.getStore(), x], 'x')), [3, 'x']);
  throws(() => AsyncLocalStorage.bind(1), 'TypeError', 'must be of type function');
});
test('AsyncResource', () => {
  const storage = new AsyncLocalStorage();
  const resource = storage.run(1, () => new AsyncResource('Mine'));
  equal(storage.run(2, () => resource.runInAsyncScope(function (x) { return [this.me, storage.getStore(), x] }, { me: 1 }, 'x')), [1, 1, 'x']);
  equal(storage.run(2, () => resource.bind(() => storage.getStore())()), 1);
  const bound = storage.run(3, () => AsyncResource.bind(() => storage.getStore(), 'T'));
  equal(bound(), 3);
  equal(resource.asyncId() < new AsyncResource('x').asyncId(), true);
  equal(resource.emitDestroy(), resource);
  class Sub extends AsyncResource { constructor() { super('SUB') } }
  equal(new Sub().type, 'SUB');
  throws(() => new AsyncResource(), 'TypeError', 'The "type" argument must be of type string');
});
test('async iteration and streams', async () => {
  const storage = new AsyncLocalStorage();
  await storage.run('s', async () => {
    async function* numbers() { for (let i = 0; i < 3; i++) { await null; yield storage.getStore() } }
    for await (const store of numbers()) equal(store, 's');
    const stream = new ReadableStream({ pull(controller) { controller.enqueue(1); controller.close() } });
    for await (const _ of stream) equal(storage.getStore(), 's');
  });
});
test('what is missing says so', () => {
  const error = throws(() => createHook({}), 'Error', 'node:async_hooks createHook is not implemented in Dolmen');
  equal(error.code, 'ERR_METHOD_NOT_IMPLEMENTED');
});
