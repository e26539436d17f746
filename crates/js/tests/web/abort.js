test('abort tells everyone once', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const seen = [];
  signal.addEventListener('abort', (event) => seen.push(event.type));
  signal.onabort = () => seen.push('onabort');
  equal(signal.aborted, false);
  equal(signal.reason, undefined);
  signal.throwIfAborted();
  controller.abort();
  controller.abort('again');
  equal(seen, ['abort', 'onabort']);
  equal(signal.aborted, true);
  const error = throws(() => signal.throwIfAborted(), 'AbortError', 'aborted');
  ok(error instanceof DOMException);
  ok(error === signal.reason);
  equal(error.code, 20);
});
test('a reason is kept as it is', () => {
  const controller = new AbortController();
  controller.abort({ mine: 1 });
  equal(controller.signal.reason, { mine: 1 });
  equal(AbortSignal.abort('why').reason, 'why');
  equal(AbortSignal.abort().reason.name, 'AbortError');
});
test('timeout aborts with a TimeoutError', async () => {
  const signal = AbortSignal.timeout(10);
  equal(signal.aborted, false);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  equal(signal.reason.name, 'TimeoutError');
  equal(signal.reason.code, 23);
  throws(() => AbortSignal.timeout(-1), 'TypeError');
});
test('any follows the first', () => {
  const [one, two] = [new AbortController(), new AbortController()];
  const any = AbortSignal.any([one.signal, two.signal]);
  const nested = AbortSignal.any([any]);
  let count = 0;
  nested.onabort = () => count++;
  equal(any.aborted, false);
  two.abort('two');
  one.abort('one');
  equal(any.reason, 'two');
  equal(nested.reason, 'two');
  equal(count, 1);
  equal(AbortSignal.any([AbortSignal.abort('before'), one.signal]).reason, 'before');
  equal(AbortSignal.any([]).aborted, false);
  throws(() => AbortSignal.any([{}]), 'TypeError');
});
test('signals are made by controllers only', () => {
  throws(() => new AbortSignal(), 'TypeError', 'Illegal constructor');
  equal(`${new AbortController().signal}`, '[object AbortSignal]');
  ok(new AbortController().signal instanceof EventTarget);
});
