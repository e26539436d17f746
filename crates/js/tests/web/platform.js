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
