const stream = node('stream');
const { Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished } = stream;
const { Buffer } = node('buffer');
const collect = async (readable) => {
  const chunks = [];
  for await (const chunk of readable) chunks.push(chunk);
  return chunks;
};
test('Readable: push, data, end, encoding', async () => {
  let n = 0;
  const readable = new Readable({ read() { this.push(n++ < 3 ? `chunk${n}` : null) } });
  const seen = [];
  readable.on('data', (chunk) => seen.push(`${Buffer.isBuffer(chunk)} ${chunk}`));
  await new Promise((resolve) => readable.on('end', resolve));
  equal(seen, ['true chunk1', 'true chunk2', 'true chunk3']);
  const text = Readable.from([Buffer.from([0xe2, 0x82]), Buffer.from([0xac])], { objectMode: false });
  text.setEncoding('utf8');
  equal(await collect(text), ['€']);
});
test('Readable.from and async iteration', async () => {
  equal(await collect(Readable.from([1, 2, 3])), [1, 2, 3]);
  equal(await collect(Readable.from((async function* () { yield 'a'; yield 'b' })())), ['a', 'b']);
  equal(await collect(Readable.from('text')), ['text']);
  const failing = Readable.from((async function* () { yield 1; throw new Error('bad') })());
  await rejects(collect(failing), 'Error', 'bad');
  const broken = Readable.from([1, 2, 3]);
  for await (const _ of broken) break;
  await sleep(1);
  equal(broken.destroyed, true);
});
test('Writable: write, final, backpressure, errors', async () => {
  const seen = [];
  const writable = new Writable({
    highWaterMark: 3,
    write(chunk, encoding, done) { seen.push(`${chunk}`); setTimeout(done, 1) },
    final(done) { seen.push('final'); done() },
  });
  equal(writable.write('ab'), true);
  equal(writable.write('cd'), false);
  await new Promise((resolve) => writable.once('drain', resolve));
  writable.end('ef');
  await new Promise((resolve) => writable.on('finish', resolve));
  equal(seen, ['ab', 'cd', 'ef', 'final']);
  const bad = new Writable({ write(chunk, encoding, done) { done(new Error('full')) } });
  const failed = new Promise((resolve) => bad.on('error', resolve));
  bad.write('x');
  equal((await failed).message, 'full');
  const ended = new Writable({ write(chunk, encoding, done) { done() } });
  ended.end();
  const late = new Promise((resolve) => ended.on('error', resolve));
  ended.write('x');
  equal((await late).code, 'ERR_STREAM_WRITE_AFTER_END');
});
test('Transform, PassThrough, Duplex, pipe', async () => {
  const upper = new Transform({ transform(chunk, encoding, done) { done(null, `${chunk}`.toUpperCase()) }, flush(done) { this.push('!'); done() } });
  const out = Readable.from(['a', 'b']).pipe(upper).pipe(new PassThrough());
  equal((await collect(out)).join(''), 'AB!');
  const duplex = new Duplex({ read() { this.push('r'); this.push(null) }, write(chunk, encoding, done) { this.got = `${chunk}`; done() } });
  duplex.end('w');
  equal((await collect(duplex)).join(''), 'r');
  equal(duplex.got, 'w');
});
const { pipeline: run, finished: over } = node('stream/promises');
test('pipeline through an async generator', async () => {
  const seen = [];
  await run(Readable.from(['a', 'b']), async function* (source) { for await (const chunk of source) yield `${chunk}${chunk}` },
    new Writable({ write(chunk, encoding, done) { seen.push(`${chunk}`); done() } }));
  equal(seen, ['aa', 'bb']);
});
test('a pipeline that fails', async () => {
  await rejects(run(Readable.from(['a']), new Transform({ transform(chunk, encoding, done) { done(new Error('broke')) } })), 'Error', 'broke');
});
test('a pipeline whose source goes away', async () => {
  const error = await new Promise((resolve) => {
    const source = new Readable({ read() {} });
    pipeline(source, new PassThrough(), (error) => resolve(error));
    source.destroy();
  });
  equal(error.code, 'ERR_STREAM_PREMATURE_CLOSE');
});
test('finished', async () => {
  const readable = Readable.from([1]);
  readable.resume();
  await over(readable);
  await new Promise((resolve, reject) => finished(Readable.from([]).resume(), (error) => error ? reject(error) : resolve()));
});
test('a pipeline that is aborted', async () => {
  const controller = new AbortController();
  const stuck = run(new Readable({ read() {} }), new PassThrough(), { signal: controller.signal });
  controller.abort();
  await rejects(stuck, 'AbortError');
});
test('operators', async () => {
  equal(await Readable.from([1, 2, 3, 4]).filter((n) => n % 2).map((n) => n * 10).toArray(), [10, 30]);
});
test('to and from the web', async () => {
  const web = Readable.toWeb(Readable.from([Buffer.from('ab'), Buffer.from('c')]));
  ok(web instanceof ReadableStream);
  equal(await new Response(web).text(), 'abc');
  const back = Readable.fromWeb(new Response('body text').body);
  equal(Buffer.concat(await collect(back)).toString(), 'body text');
  const seen = [];
  const sink = Writable.toWeb(new Writable({ write(chunk, encoding, done) { seen.push(`${chunk}`); done() } }));
  await new Response('to the sink').body.pipeTo(sink);
  equal(seen.join(''), 'to the sink');
  const got = [];
  const writable = Writable.fromWeb(new WritableStream({ write(chunk) { got.push(`${chunk}`) }, close() { got.push('closed') } }));
  writable.write('x');
  await new Promise((resolve) => writable.end('y', resolve));
  equal(got.filter((one) => one !== 'closed'), ['x', 'y']);
  const failing = Readable.toWeb(new Readable({ read() { this.destroy(new Error('bad')) } }));
  await rejects(failing.getReader().read(), 'Error', 'bad');
  const pair = Duplex.toWeb(new PassThrough());
  const writer = pair.writable.getWriter();
  writer.write(Buffer.from('through'));
  writer.close();
  equal(await new Response(pair.readable).text(), 'through');
  const duplex = Duplex.fromWeb(new TransformStream());
  duplex.end('there');
  equal((await collect(duplex)).join(''), 'there');
  throws(() => Readable.fromWeb({}), 'TypeError', 'ReadableStream');
});
test('consumers and shape', async () => {
  const { text, json, buffer } = node('stream/consumers');
  equal(await text(Readable.from(['a', 'é'])), 'aé');
  equal(await json(Readable.from(['{"a":', '1}'])), { a: 1 });
  equal((await buffer(new Response('x').body)).toString(), 'x');
  equal(stream.Stream === stream, true);
  equal(typeof stream, 'function');
  ok(new PassThrough() instanceof Duplex && new PassThrough() instanceof Writable);
});
test('the async context goes through streams', async () => {
  const { AsyncLocalStorage } = node('async_hooks');
  const storage = new AsyncLocalStorage();
  await storage.run('s', () => new Promise((resolve) => {
    const through = new PassThrough();
    through.on('data', () => equal(storage.getStore(), 's'));
    through.on('end', () => { equal(storage.getStore(), 's'); resolve() });
    through.end('x');
  }));
});
