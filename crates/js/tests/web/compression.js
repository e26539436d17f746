const FORMATS = ['gzip', 'deflate', 'deflate-raw'];
const bytes = (text) => new TextEncoder().encode(text);
const through = (data, stream) => new Response(new Response(data).body.pipeThrough(stream));
const packed = async (data, format) => through(data, new CompressionStream(format)).bytes();

test('what is no format, and what is not compressed', async () => {
  for (const Stream of [CompressionStream, DecompressionStream]) {
    throws(() => new Stream('brotli'), 'TypeError', 'gzip, deflate and deflate-raw');
    throws(() => new Stream(), 'TypeError');
  }
  for (const format of FORMATS) {
    await rejects(through(bytes('this is not compressed'), new DecompressionStream(format)).text(), 'TypeError', 'cannot be decompressed');
    const whole = await packed(bytes('hello '.repeat(100)), format);
    await rejects(through(whole.slice(0, -5), new DecompressionStream(format)).text(), 'TypeError', 'cannot be decompressed');
    await rejects(through(new Uint8Array([...whole, 1, 2, 3]), new DecompressionStream(format)).text(), 'TypeError', 'cannot be decompressed');
    const texts = new ReadableStream({ start(c) { c.enqueue('text'); c.close() } });
    await rejects(new Response(texts.pipeThrough(new CompressionStream(format))).text(), 'TypeError', 'ArrayBuffer');
  }
});
test('there and back', async () => {
  const texts = ['', 'a', 'hello '.repeat(50000)];
  for (const format of FORMATS) {
    for (const text of texts) {
      const small = await packed(text === '' ? new Uint8Array(0) : bytes(text), format);
      ok(text.length < 100 || small.length < text.length / 50, `${small.length}`);
      equal(await through(small, new DecompressionStream(format)).text(), text);
    }
    const small = await packed(bytes(texts[2]), format);
    const drops = new ReadableStream({ start(c) { for (const byte of small) c.enqueue(Uint8Array.of(byte)); c.close() } });
    equal((await new Response(drops.pipeThrough(new DecompressionStream(format))).text()).length, texts[2].length);
  }
  equal(await through(Uint8Array.from(atob('H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA=='), (c) => c.charCodeAt(0)), new DecompressionStream('gzip')).text(), 'hello');
});
test('a bomb comes out in small pieces, and only as it is read', async () => {
  const small = await packed(new Uint8Array(20 << 20), 'gzip');
  ok(small.length < 100000, `${small.length}`);
  const stream = new DecompressionStream('gzip');
  const writer = stream.writable.getWriter();
  let isWritten = false;
  writer.write(small).then(() => { isWritten = true }, () => {});
  writer.closed.catch(() => {});
  const reader = stream.readable.getReader();
  for (let i = 0; i < 5; i++) {
    const { value } = await reader.read();
    ok(value.length > 0 && value.length <= 65536, `${value.length}`);
  }
  await sleep(5);
  equal(isWritten, false);
  await reader.cancel();
  await rejects(writer.write(small), 'Error', '').catch(() => {});
});
test('abort and a writer without a reader', async () => {
  const stream = new CompressionStream('gzip');
  const writer = stream.writable.getWriter();
  writer.write(bytes('x'));
  writer.close();
  equal(await through(new Uint8Array(await new Response(stream.readable).arrayBuffer()), new DecompressionStream('gzip')).text(), 'x');
  const other = new CompressionStream('gzip');
  const aborted = other.writable.getWriter();
  aborted.closed.catch(() => {});
  await aborted.abort(new Error('enough'));
  await rejects(new Response(other.readable).text(), 'Error', 'enough');
});
