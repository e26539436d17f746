const numbers = (count) => new ReadableStream({
  start(controller) { for (let i = 1; i <= count; i++) controller.enqueue(i); controller.close(); },
});
const all = async (stream) => { const list = []; for await (const value of stream) list.push(value); return list };
test('read, close, iterate', async () => {
  const reader = numbers(2).getReader();
  equal([await reader.read(), await reader.read(), await reader.read()], [{ value: 1, done: false }, { value: 2, done: false }, { value: undefined, done: true }]);
  await reader.closed;
  equal(await all(numbers(3)), [1, 2, 3]);
});
test('pull is called as needed', async () => {
  let pulled = 0;
  const stream = new ReadableStream({ pull(controller) { controller.enqueue(++pulled) } }, { highWaterMark: 0 });
  await sleep(1);
  equal(pulled, 0);
  const reader = stream.getReader();
  equal((await reader.read()).value, 1);
  equal((await reader.read()).value, 2);
  reader.releaseLock();
  equal(stream.locked, false);
});
test('errors and cancellation', async () => {
  const broken = new ReadableStream({ pull() { throw new Error('mine') } });
  await rejects(broken.getReader().read(), 'Error', 'mine');
  let reason;
  const stream = new ReadableStream({ cancel(why) { reason = why } });
  await stream.cancel('enough');
  equal(reason, 'enough');
  const locked = numbers(1);
  locked.getReader();
  throws(() => locked.getReader(), 'TypeError');
  await rejects(locked.cancel(), 'TypeError');
});
test('tee gives both everything', async () => {
  const [one, two] = numbers(3).tee();
  equal([await all(one), await all(two)], [[1, 2, 3], [1, 2, 3]]);
});
test('byte streams and BYOB readers', async () => {
  const stream = new ReadableStream({
    type: 'bytes',
    start(controller) { controller.enqueue(new Uint8Array([1, 2, 3])); controller.close() },
  });
  const reader = stream.getReader({ mode: 'byob' });
  const first = await reader.read(new Uint8Array(2));
  equal([first.done, Array.from(first.value)], [false, [1, 2]]);
  const second = await reader.read(new Uint8Array(2));
  equal([second.done, Array.from(second.value)], [false, [3]]);
  equal((await reader.read(new Uint8Array(2))).done, true);
});
test('ReadableStream.from', async () => {
  equal(await all(ReadableStream.from([1, 2])), [1, 2]);
  equal(await all(ReadableStream.from((async function* () { yield 'a' })())), ['a']);
});
test('writable streams write in order', async () => {
  const seen = [];
  const stream = new WritableStream({
    async write(chunk) { await sleep(1); seen.push(chunk) },
    close() { seen.push('closed') },
  });
  const writer = stream.getWriter();
  writer.write('a');
  writer.write('b');
  await writer.close();
  equal(seen, ['a', 'b', 'closed']);
  const failing = new WritableStream({ write() { throw new Error('full') } }).getWriter();
  failing.closed.catch(() => {});
  await rejects(failing.write(1), 'Error', 'full');
});
test('backpressure', async () => {
  let release;
  const stream = new WritableStream({ write() { return new Promise((resolve) => { release = resolve }) } }, new CountQueuingStrategy({ highWaterMark: 1 }));
  const writer = stream.getWriter();
  equal(writer.desiredSize, 1);
  await writer.ready;
  writer.write(1);
  equal(writer.desiredSize, 0);
  let ready = false;
  writer.ready.then(() => { ready = true });
  await sleep(1);
  equal(ready, false);
  release();
  await writer.ready;
});
test('pipeTo', async () => {
  const seen = [];
  await numbers(3).pipeTo(new WritableStream({ write(chunk) { seen.push(chunk) }, close() { seen.push('closed') } }));
  equal(seen, [1, 2, 3, 'closed']);
  await rejects(numbers(3).pipeTo(new WritableStream({ write() { throw new Error('full') } })), 'Error', 'full');
});
test('tee copies bytes for the second branch', async () => {
  const stream = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(new Uint8Array([1, 2])); c.enqueue(new Uint8Array([3])); c.close() } });
  const [one, two] = stream.tee();
  const bytes = async (branch) => (await all(branch)).flatMap((chunk) => Array.from(chunk));
  equal([await bytes(one), await bytes(two)], [[1, 2, 3], [1, 2, 3]]);
});
test('a byte source answers a BYOB request in place', async () => {
  const stream = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const { byobRequest } = controller;
      byobRequest.view[0] = 7;
      byobRequest.respond(1);
    },
  });
  const reader = stream.getReader({ mode: 'byob' });
  const { value } = await reader.read(new Uint8Array(4));
  equal([value.length, value[0], value.buffer.byteLength], [1, 7, 4]);
  const pair = await reader.read(new Uint8Array(2), { min: 2 });
  equal(Array.from(pair.value), [7, 7]);
  const words = await reader.read(new Uint16Array(1));
  equal([words.value.constructor.name, words.value.length], ['Uint16Array', 1]);
});
test('autoAllocateChunkSize gives default readers a request', async () => {
  const stream = new ReadableStream({
    type: 'bytes', autoAllocateChunkSize: 8,
    pull(controller) { controller.byobRequest.view.set([1, 2]); controller.byobRequest.respond(2) },
  });
  equal(Array.from((await stream.getReader().read()).value), [1, 2]);
});
test('releasing a reader rejects its reads and keeps what comes', async () => {
  let controller;
  const stream = new ReadableStream({ start(c) { controller = c } });
  const reader = stream.getReader();
  const pending = reader.read();
  reader.releaseLock();
  await rejects(pending, 'TypeError', 'released');
  await rejects(reader.read(), 'TypeError', 'released');
  await rejects(reader.closed, 'TypeError', 'released');
  controller.enqueue('kept');
  equal((await stream.getReader().read()).value, 'kept');
});
test('sizes and strategies', async () => {
  const stream = new ReadableStream({ start(c) { c.enqueue('abc'); equal(c.desiredSize, 2) } }, { highWaterMark: 5, size: (chunk) => chunk.length });
  equal((await stream.getReader().read()).value, 'abc');
  throws(() => new ReadableStream({ start(c) { c.enqueue(1) } }, { size: () => -1 }), 'RangeError');
  throws(() => new ReadableStream({}, { highWaterMark: NaN }), 'RangeError');
  throws(() => new ReadableStream({ type: 'nope' }), 'TypeError');
  throws(() => new ReadableStream({ pull: 5 }), 'TypeError');
  equal(new ByteLengthQueuingStrategy({ highWaterMark: 3 }).size(new Uint8Array(4)), 4);
});
test('leaving a loop cancels the stream', async () => {
  let reason = 'none';
  const stream = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(why) { reason = why } });
  for await (const value of stream) { ok(value); break }
  equal(reason, undefined);
  equal(stream.locked, false);
  const kept = numbers(3);
  for await (const value of kept.values({ preventCancel: true })) { equal(value, 1); break }
  equal(await all(kept), [2, 3]);
});
test('writers: abort, release, close', async () => {
  let reason;
  const stream = new WritableStream({ abort(why) { reason = why } });
  const writer = stream.getWriter();
  writer.closed.catch(() => {});
  await writer.abort('stop');
  equal(reason, 'stop');
  await rejects(writer.write(1).catch((error) => { throw new Error(error) }), 'Error', 'stop');
  const other = new WritableStream();
  const first = other.getWriter();
  throws(() => other.getWriter(), 'TypeError');
  first.releaseLock();
  await rejects(first.write(1), 'TypeError', 'released');
  await other.close();
  await other.getWriter().closed;
});
test('a sink sees the abort signal', async () => {
  let signal;
  const stream = new WritableStream({ start(controller) { signal = controller.signal } });
  await stream.abort('now');
  equal([signal.aborted, signal.reason], [true, 'now']);
});
test('pipeTo: preventClose, signal, a failing source', async () => {
  const seen = [];
  const sink = new WritableStream({ write(chunk) { seen.push(chunk) }, close() { seen.push('closed') }, abort(why) { seen.push(why.message) } });
  await numbers(1).pipeTo(sink, { preventClose: true });
  equal([seen, sink.locked], [[1], false]);
  await rejects(new ReadableStream({ start(c) { c.error(new Error('mine')) } }).pipeTo(sink), 'Error', 'mine');
  equal(seen, [1, 'mine']);
  const controller = new AbortController();
  let cancelled;
  const endless = new ReadableStream({ async pull(c) { await sleep(1); c.enqueue(1) }, cancel(why) { cancelled = why.name } });
  const piping = endless.pipeTo(new WritableStream(), { signal: controller.signal });
  await sleep(5);
  controller.abort();
  await rejects(piping, 'AbortError');
  equal(cancelled, 'AbortError');
});
