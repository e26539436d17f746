test('unknown modules are absent', () => {
  for (const name of ['fs', 'nothing', '', 'internal/errors', 'node:path']) equal(node(name), undefined, name);
});
test('every module builds, and is the same each time', () => {
  for (const name of ['assert', 'assert/strict', 'async_hooks', 'buffer', 'crypto', 'diagnostics_channel', 'events', 'module', 'os', 'path', 'path/posix', 'perf_hooks', 'process',
    'querystring', 'stream', 'stream/promises', 'stream/web', 'string_decoder', 'sys', 'timers', 'timers/promises', 'tty', 'url', 'util', 'util/types']) {
    ok(Object.keys(node(name)).length > 0, name);
    equal(node(name) === node(name), true, name);
  }
});
test('string_decoder keeps what is not complete', () => {
  const { StringDecoder } = node('string_decoder');
  const utf8 = new StringDecoder();
  equal(utf8.write(new Uint8Array([0xe2])), '');
  equal(utf8.write(new Uint8Array([0x82])), '');
  equal(utf8.write(new Uint8Array([0xac, 0x41])), '€A');
  equal(utf8.write(new Uint8Array([0xf0, 0x9d])), '');
  equal(utf8.end(), '\ufffd');
  equal(utf8.write(new Uint8Array([0xff, 0xe0, 0x80])), '\ufffd\ufffd\ufffd');
  const utf16 = new StringDecoder('utf16le');
  equal(utf16.write(new Uint8Array([0x61, 0, 0x34, 0xd8, 0x1e])), 'a');
  equal(utf16.end(new Uint8Array([0xdd])), '𝄞');
  const base64 = new StringDecoder('base64');
  equal(base64.write(new Uint8Array([1, 2, 3, 4])) + base64.end(new Uint8Array([5])), 'AQIDBAU=');
  equal(new StringDecoder('hex').write(new Uint8Array([255])), 'ff');
  equal(new StringDecoder('UTF-8').encoding, 'utf8');
  throws(() => new StringDecoder('nope'), 'TypeError', 'Unknown encoding: nope');
  const text = 'aé€𝄞'.repeat(50);
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 3, 5]) {
    const decoder = new StringDecoder('utf8');
    let got = '';
    for (let at = 0; at < bytes.length; at += size) got += decoder.write(bytes.subarray(at, at + size));
    equal(got + decoder.end(), text);
  }
});
test('timers and timers/promises', async () => {
  const timers = node('timers');
  equal(await new Promise((resolve) => timers.setTimeout(() => resolve(1), 1)), 1);
  equal(await new Promise((resolve) => timers.setImmediate(resolve, 2)), undefined);
  const { setTimeout: wait, scheduler, setInterval: every } = node('timers/promises');
  equal(await wait(1, 'value'), 'value');
  await scheduler.wait(1);
  await scheduler.yield();
  let count = 0;
  for await (const value of every(1, 'x')) { equal(value, 'x'); if (++count === 3) break }
  const stopped = AbortSignal.abort('why');
  const error = await rejects(wait(1, null, { signal: stopped }), 'AbortError');
  equal([error.code, error.cause], ['ABORT_ERR', 'why']);
});
test('diagnostics_channel', async () => {
  const { channel, subscribe, unsubscribe, hasSubscribers, tracingChannel } = node('diagnostics_channel');
  const seen = [];
  const note = (message, name) => seen.push([message, name]);
  equal(channel('x') === channel('x'), true);
  subscribe('x', note);
  equal(hasSubscribers('x'), true);
  channel('x').publish(1);
  equal(unsubscribe('x', note), true);
  equal(unsubscribe('x', note), false);
  channel('x').publish(2);
  equal(seen, [[1, 'x']]);
  const { AsyncLocalStorage } = node('async_hooks');
  const storage = new AsyncLocalStorage();
  channel('y').bindStore(storage, (message) => message.id);
  equal(channel('y').runStores({ id: 5 }, () => storage.getStore()), 5);
  const trace = tracingChannel('work');
  const events = [];
  const handlers = Object.fromEntries(['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((name) => [name, (context) => events.push([name, context.result ?? context.error?.message])]));
  trace.subscribe(handlers);
  equal(trace.traceSync((x) => x + 1, {}, null, 1), 2);
  throws(() => trace.traceSync(() => { throw new Error('bad') }, {}), 'Error', 'bad');
  equal(await trace.tracePromise(async () => 7, {}), 7);
  equal(events, [['start', undefined], ['end', 2], ['start', undefined], ['error', 'bad'], ['end', 'bad'], ['start', undefined], ['end', undefined], ['asyncStart', 7], ['asyncEnd', 7]]);
  trace.unsubscribe(handlers);
  equal(trace.hasSubscribers, false);
});
test('stream/web', () => {
  equal(node('stream/web').ReadableStream === ReadableStream, true);
});
test('module, os, tty, perf_hooks', () => {
  const { builtinModules, isBuiltin, createRequire } = node('module');
  for (const name of builtinModules) ok(node(name), name);
  equal([isBuiltin('node:path'), isBuiltin('fs'), isBuiltin('internal/errors')], [true, false, false]);
  throws(() => createRequire('/x'), 'Error', 'node:module createRequire is not implemented in Dolmen');
  equal(node('os').EOL, '\n');
  throws(() => node('os').cpus(), 'Error', 'node:os cpus is not implemented in Dolmen');
  equal(node('tty').isatty(1), false);
  equal(node('perf_hooks').performance === performance, true);
});
