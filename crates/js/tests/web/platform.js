test('performance uses the clock of the host', () => {
  equal(performance.now(), 12.5);
  equal(performance.timeOrigin, 1700000000000);
  equal(performance.toJSON(), { timeOrigin: 1700000000000 });
});
test('navigator, self, queueMicrotask', async () => {
  equal(navigator.userAgent, 'Dolmen');
  ok(self === globalThis);
  let ran = false;
  queueMicrotask(() => { ran = true });
  await null;
  equal(ran, true);
});
test('DOMException', () => {
  const error = new DOMException('text', 'DataCloneError');
  equal([error.name, error.message, error.code, `${error}`], ['DataCloneError', 'text', 25, 'DataCloneError: text']);
  ok(error instanceof Error);
  equal(new DOMException().name, 'Error');
  equal(DOMException.ABORT_ERR, 20);
  equal(typeof error.stack, 'string');
});
test('reportError does not throw', () => reportError(new Error('seen')));
test('scheduler.wait', async () => {
  await scheduler.wait(1);
  await scheduler.wait(1, { signal: new AbortController().signal });
  await rejects(scheduler.wait(1, { signal: {} }), 'TypeError');
  await rejects(scheduler.wait(1, { signal: AbortSignal.abort() }), 'AbortError');
  await rejects(scheduler.wait(10000, { signal: AbortSignal.timeout(5) }), 'TimeoutError');
});
test('what is not there says so when it is used', async () => {
  for (const name of ['HTMLRewriter', 'Worker', 'EventSource']) {
    throws(() => new globalThis[name]('x'), 'NotSupportedError', `${name} is not implemented in Dolmen`);
  }
  throws(() => caches.default, 'NotSupportedError', 'caches.default is not implemented in Dolmen');
  await rejects(caches.open('x'), 'NotSupportedError', 'caches.open');
});
