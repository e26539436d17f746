const all = async (stream) => { const list = []; for await (const value of stream) list.push(value); return list };
test('chunks are transformed in order', async () => {
  const source = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close() } });
  const double = new TransformStream({
    start(controller) { controller.enqueue('start') },
    async transform(chunk, controller) { await sleep(1); controller.enqueue(chunk * 2) },
    flush(controller) { controller.enqueue('end') },
  });
  equal(await all(source.pipeThrough(double)), ['start', 2, 4, 'end']);
});
test('without a transformer it passes on', async () => {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const written = writer.write('a').then(() => writer.close());
  equal(await all(readable), ['a']);
  await written;
});
test('a write waits for a reader', async () => {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  let written = 0;
  for (const chunk of [1, 2]) writer.write(chunk).then(() => written++);
  await sleep(5);
  equal(written, 0);
  const reader = readable.getReader();
  equal((await reader.read()).value, 1);
  equal((await reader.read()).value, 2);
  await sleep(1);
  equal(written, 2);
});
test('errors reach both sides', async () => {
  const broken = new TransformStream({ transform() { throw new Error('mine') } });
  const writer = broken.writable.getWriter();
  writer.closed.catch(() => {});
  const reading = broken.readable.getReader().read();
  await rejects(writer.write(1), 'Error', 'mine');
  await rejects(reading, 'Error', 'mine');
  const aborted = new TransformStream();
  await aborted.writable.abort(new Error('why'));
  await rejects(aborted.readable.getReader().read(), 'Error', 'why');
});
test('terminate ends the readable side', async () => {
  const stream = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk); controller.terminate() } });
  const writer = stream.writable.getWriter();
  writer.closed.catch(() => {});
  writer.write(1).catch(() => {});
  equal(await all(stream.readable), [1]);
  await rejects(writer.write(2), 'TypeError');
});
test('text streams keep split characters', async () => {
  const bytes = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([226, 130])); c.enqueue(new Uint8Array([172, 97])); c.close() } });
  equal((await all(bytes.pipeThrough(new TextDecoderStream()))).join(''), '€a');
  const text = new ReadableStream({ start(c) { c.enqueue('a\ud83d'); c.enqueue('\ude00'); c.close() } });
  equal((await all(text.pipeThrough(new TextEncoderStream()))).map((chunk) => Array.from(chunk)), [[97], [240, 159, 152, 128]]);
  equal(new TextDecoderStream('latin1').encoding, 'windows-1252');
});
test('a response can be made of one', async () => {
  const { readable, writable } = new TransformStream();
  const response = new Response(readable);
  const writer = writable.getWriter();
  (async () => { for (const part of ['a', 'b']) await writer.write(new TextEncoder().encode(part)); await writer.close() })();
  equal(await response.text(), 'ab');
});
