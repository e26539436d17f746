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
test('gzip is undone', async () => {
  const text = await (await fetch(`${origin}/gzip`)).text();
  equal(text.length, 700000);
  ok(text.startsWith('zipped zipped'));
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
  await rejects(fetch('/relative'), 'TypeError', 'Invalid URL');
  await rejects(fetch('ftp://a/'), 'TypeError', 'ftp://a/');
  equal((await fetch(`${origin}/none`)).status, 404);
  const empty = await fetch(`${origin}/empty`);
  equal([empty.status, empty.body, await empty.text()], [204, null, '']);
});
test('data URLs', async () => {
  const response = await fetch('data:text/plain;base64,aGk=');
  equal([await response.text(), response.headers.get('content-type')], ['hi', 'text/plain']);
  equal(await (await fetch('data:,a%20b')).text(), 'a b');
});
