test('a request arrives as it was made', async () => {
  const response = await fetch(`${origin}/echo?q=1`, { method: 'POST', body: 'hello é', headers: { 'X-Mine': 'a', 'x-latin': 'é' } });
  equal([response.status, response.statusText, response.ok, response.url, response.redirected, response.type], [200, 'OK', true, `${origin}/echo?q=1`, false, 'basic']);
  equal(response.headers.getSetCookie(), ['a=1', 'b=2']);
  const text = await response.text();
  ok(text.startsWith('POST /echo?q=1\n'), text);
  ok(text.includes('x-mine: a\n'), text);
  ok(text.includes('content-length: 8\n'), text);
  ok(text.includes('content-type: text/plain;charset=UTF-8\n'), text);
  ok(text.includes('user-agent: Dolmen\n'), text);
  ok(text.endsWith('\n\nhello é'), text);
});
test('bodies of every kind go out', async () => {
  for (const body of [new Uint8Array([104, 105]), new Blob(['hi']), new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104, 105])); c.close() } })]) {
    const text = await (await fetch(`${origin}/echo`, { method: 'PUT', body })).text();
    ok(text.endsWith('\n\nhi'), text);
  }
  const request = new Request(`${origin}/echo`, { method: 'DELETE' });
  ok((await (await fetch(request)).text()).startsWith('DELETE /echo'));
  const empty = await (await fetch(`${origin}/echo`, { method: 'POST' })).text();
  ok(empty.includes('content-length: 0\n'), empty);
});
test('nothing goes out before the output gate opens', async () => {
  closeGate();
  const before = gates();
  let settled = false;
  const pending = fetch(`${origin}/echo`).then((response) => { settled = true; return response });
  await sleep(60);
  equal([settled, gates() - before], [false, 1]);
  openGate();
  equal((await pending).status, 200);
});
test('redirects', async () => {
  const moved = await fetch(`${origin}/302`);
  equal([moved.url, moved.redirected], [`${origin}/echo?moved`, true]);
  ok((await (await fetch(`${origin}/303`, { method: 'PUT', body: 'x' })).text()).startsWith('GET /echo'));
  const kept = await (await fetch(`${origin}/307`, { method: 'PUT', body: 'kept' })).text();
  ok(kept.startsWith('PUT /echo') && kept.endsWith('kept'), kept);
  const manual = await fetch(`${origin}/302`, { redirect: 'manual' });
  equal([manual.status, manual.headers.get('location')], [302, '/echo?moved']);
  await rejects(fetch(`${origin}/302`, { redirect: 'error' }), 'TypeError', 'redirect');
  await rejects(fetch(`${origin}/loop`), 'TypeError', 'Too many redirects');
  const text = await (await fetch(`${origin}/elsewhere`, { headers: { authorization: 'secret', 'x-kept': '1' } })).text();
  ok(!text.includes('secret') && text.includes('x-kept: 1'), text);
});
test('a body arrives in parts', async () => {
  const response = await fetch(`${origin}/stream`);
  const parts = [];
  for await (const chunk of response.body) parts.push(new TextDecoder().decode(chunk));
  equal(parts.join(''), 'onetwothree');
  ok(parts.length > 1, `${parts}`);
  equal(await (await fetch(`${origin}/stream`)).text(), 'onetwothree');
  const [one, two] = [await fetch(`${origin}/stream`)].flatMap((response) => [response, response.clone()]);
  equal([await one.text(), await two.text()], ['onetwothree', 'onetwothree']);
  const cancelled = await fetch(`${origin}/stream`);
  await cancelled.body.cancel();
});
test('gzip and br are undone', async () => {
  const text = await (await fetch(`${origin}/gzip`)).text();
  equal(text.length, 700000);
  ok(text.startsWith('zipped zipped'));
  const response = await fetch(`${origin}/br`);
  equal([response.headers.get('content-encoding'), response.headers.get('content-length'), await response.text()], [null, null, 'hello']);
  await rejects((await fetch(`${origin}/gzip-cut`)).text(), 'TypeError', 'cannot be decoded');
  await rejects((await fetch(`${origin}/garbled`)).text(), 'TypeError', 'cannot be decoded');
  const echo = await (await fetch(`${origin}/echo`)).text();
  ok(echo.includes('accept-encoding: gzip, deflate, br\n'), echo);
});
test('abort', async () => {
  const controller = new AbortController();
  const pending = fetch(`${origin}/never`, { signal: controller.signal });
  await sleep(20);
  controller.abort();
  await rejects(pending, 'AbortError');
  await rejects(fetch(`${origin}/echo`, { signal: AbortSignal.abort('why') }).catch((reason) => { throw new Error(reason) }), 'Error', 'why');
  await rejects(fetch(`${origin}/never`, { signal: AbortSignal.timeout(10) }), 'TimeoutError');
  const late = new AbortController();
  const response = await fetch(`${origin}/stream`, { signal: late.signal });
  late.abort();
  await rejects(response.text(), 'AbortError');
});
test('failures say which request and why', async () => {
  await rejects(fetch('http://127.0.0.1:9/'), 'TypeError', 'http://127.0.0.1:9/');
  await rejects(fetch(origin.replace('http', 'https')), 'TypeError', 'failed: ');
  await rejects(fetch('https://does-not-exist.invalid/'), 'TypeError', 'does-not-exist.invalid cannot be looked up');
  await rejects(fetch('/relative'), 'TypeError', 'Invalid URL');
  await rejects(fetch('ftp://a/'), 'TypeError', 'ftp://a/');
  equal((await fetch(`${origin}/none`)).status, 404);
  const empty = await fetch(`${origin}/empty`);
  equal([empty.status, empty.body, await empty.text()], [204, null, '']);
});
test('what is not public is refused, by name, by address and after a redirect', async () => {
  for (const [host, said] of [
    ['127.0.0.2', '127.0.0.2 is a loopback address'], ['0x7f.2', '127.0.0.2 is'], ['2130706434', '127.0.0.2 is'],
    ['[::1]', '::1 is a loopback address'], ['[::ffff:127.0.0.2]', '::ffff:7f00:2 is an IPv4-mapped'], ['10.0.0.1', 'a private address'],
    ['169.254.169.254', 'a link-local address'], ['100.64.0.1', 'carrier-grade NAT'], ['0.0.0.0', 'unspecified'], ['224.0.0.1', 'multicast'],
  ]) {
    const error = await rejects(fetch(`http://${host}:9/`), 'TypeError', said);
    ok(error.message.includes('--allow-private-network'), error.message);
  }
  await rejects(fetch('https://denied.example/'), 'TypeError', 'denied.example is denied by --egress');
  await rejects(fetch(`${origin}/to-private`), 'TypeError', '169.254.169.254 is a link-local address');
  await rejects(fetch(`${origin}/to-denied`), 'TypeError', 'denied.example is denied');
  await rejects(fetch(`${origin}/to-file`), 'TypeError', 'file:///etc/passwd');
});
// What a number comes to when it stops growing.
const atRest = async (number) => {
  for (let before = await number(); ;) {
    await sleep(100);
    const now = await number();
    if (now === before) return now;
    before = now;
  }
};
test('a stream that goes out is pulled as the connection takes it', async () => {
  let pulls = 0;
  let cancelled;
  const controller = new AbortController();
  const body = new ReadableStream({
    pull(c) { pulls++; c.enqueue(new Uint8Array(65536)) },
    cancel(reason) { cancelled = reason },
  }, { highWaterMark: 0 });
  const pending = fetch(`${origin}/never`, { method: 'POST', body, signal: controller.signal });
  const most = await atRest(() => pulls);
  ok(most > 0 && most < 400, `${most} pulls`);
  equal(body.locked, true);
  controller.abort();
  await rejects(pending, 'AbortError');
  await sleep(20);
  ok(cancelled instanceof Error, `${cancelled}`);
});
test('a stream that goes out arrives in order, with no length', async () => {
  let n = 0;
  const body = new ReadableStream({ async pull(c) { await sleep(1); c.enqueue(new TextEncoder().encode(`${n++},`)); if (n === 5) c.close() } });
  const text = await (await fetch(`${origin}/echo`, { method: 'POST', body, headers: { 'content-length': '99' } })).text();
  ok(text.endsWith('\n\n0,1,2,3,4,') && text.includes('transfer-encoding: chunked'), text);
});
test('a stream that fails, or is none of bytes, fails the request', async () => {
  const broken = new ReadableStream({ pull() { throw new Error('no more data') } });
  await rejects(fetch(`${origin}/echo`, { method: 'POST', body: broken }), 'TypeError', 'no more data');
  const texts = new ReadableStream({ start(c) { c.enqueue('text') } });
  await rejects(fetch(`${origin}/echo`, { method: 'POST', body: texts }), 'TypeError', 'did not return bytes');
  const used = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)); c.enqueue(new Uint8Array(1)) } });
  const reader = used.getReader();
  await reader.read();
  reader.releaseLock();
  await rejects(fetch(`${origin}/echo`, { method: 'POST', body: used }), 'TypeError', 'already been used');
  const once = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)); c.close() } });
  await rejects(fetch(`${origin}/307`, { method: 'POST', body: once }), 'TypeError', 'one-time-use');
});
const seen = async () => (await fetch(`${origin}/seen`)).json();
test('a response is received as it is read, and ends when nobody can read it', async () => {
  const [, before, left] = await seen();
  let response = await fetch(`${origin}/flood`);
  const reader = response.body.getReader();
  ok((await reader.read()).value.length <= 65536);
  const chunks = await atRest(async () => (await seen())[1]);
  ok(chunks - before < 400, `${chunks - before} chunks`);
  await reader.cancel();
  await sleep(20);
  equal((await seen())[2], left + 1);

  response = await fetch(`${origin}/flood`);
  response = null;
  await sleep(20);
  equal((await seen())[2], left + 2);

  const controller = new AbortController();
  response = await fetch(`${origin}/flood`, { signal: controller.signal });
  controller.abort();
  await sleep(20);
  equal((await seen())[2], left + 3);
  await rejects(response.text(), 'AbortError');
});
test('connections are used again', async () => {
  const [before] = await seen();
  for (let i = 0; i < 5; i++) await (await fetch(`${origin}/echo`)).text();
  equal((await seen())[0], before);
});
test('a server that says nothing is given up', async () => {
  await rejects(fetch(`${origin}/never`), 'TypeError', 'nothing was received for 0.3 s');
  await rejects((await fetch(`${origin}/silent`)).text(), 'TypeError', 'nothing was received for 0.3 s');
});
test('data URLs', async () => {
  const response = await fetch('data:text/plain;base64,aGk=');
  equal([await response.text(), response.headers.get('content-type')], ['hi', 'text/plain']);
  equal(await (await fetch('data:,a%20b')).text(), 'a b');
});
