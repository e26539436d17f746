const bodies = () => [
  ['text', 'hé', 'hé', 'text/plain;charset=UTF-8'],
  ['bytes', new Uint8Array([104, 105]), 'hi', null],
  ['buffer', new Uint8Array([104, 105]).buffer, 'hi', null],
  ['view', new DataView(new Uint8Array([0, 104, 105]).buffer, 1), 'hi', null],
  ['blob', new Blob(['hi'], { type: 'a/b' }), 'hi', 'a/b'],
  ['params', new URLSearchParams({ a: 'b c' }), 'a=b+c', 'application/x-www-form-urlencoded;charset=UTF-8'],
  ['other', { toString: () => 'obj' }, 'obj', 'text/plain;charset=UTF-8'],
  ['stream', new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104])); c.enqueue(new Uint8Array([105])); c.close() } }), 'hi', null],
];
test('a body is read as text, once', async () => {
  for (const [name, body, text, type] of bodies()) {
    const response = new Response(body);
    equal(response.headers.get('content-type'), type, name);
    equal(response.bodyUsed, false, name);
    equal(await response.text(), text, name);
    equal(response.bodyUsed, true, name);
    await rejects(response.text(), 'TypeError', 'already been used');
  }
});
test('a body is read in other ways', async () => {
  for (const [name, body, text] of bodies()) {
    equal(new TextDecoder().decode(await new Response(body).arrayBuffer()), text, name);
  }
  equal(await new Response('{"a":[1]}').json(), { a: [1] });
  await rejects(new Response('{').json(), 'SyntaxError');
  await rejects(new Response('').json(), 'SyntaxError');
  equal(await new Response('x').bytes(), new Uint8Array([120]));
  const blob = await new Response('x', { headers: { 'content-type': 'a/b' } }).blob();
  equal([blob.type, await blob.text()], ['a/b', 'x']);
  equal(await new Response().text(), '');
  equal((await new Response().arrayBuffer()).byteLength, 0);
  equal(await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 97])).text(), 'a');
});
test('bytes given are copied', async () => {
  const bytes = new Uint8Array([97]);
  const response = new Response(bytes);
  bytes[0] = 98;
  equal(await response.text(), 'a');
});
test('a body is a stream', async () => {
  equal(new Response().body, null);
  for (const [name, body, text] of bodies()) {
    const response = new Response(body);
    const reader = response.body.getReader();
    let all = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      all += new TextDecoder().decode(value);
    }
    equal(all, text, name);
    if (name !== 'stream') equal(response.bodyUsed, true, name);
  }
  const response = new Response('x');
  ok(response.body === response.body);
  response.body.getReader();
  await rejects(response.text(), 'TypeError', 'locked');
  let text = '';
  for await (const chunk of new Response('async').body) text += new TextDecoder().decode(chunk);
  equal(text, 'async');
});
test('clone gives both the whole body', async () => {
  for (const [name, body, text] of bodies()) {
    const response = new Response(body, { status: 201, headers: { a: 'b' } });
    const copy = response.clone();
    equal(await copy.text(), text, name);
    equal(await response.text(), text, name);
    equal([copy.status, copy.headers.get('a')], [201, 'b']);
    throws(() => response.clone(), 'TypeError');
  }
});
test('Response: status and statics', async () => {
  const response = new Response(null, { status: 404, statusText: 'gone' });
  equal([response.status, response.statusText, response.ok, response.type, response.url, response.redirected], [404, 'gone', false, 'default', '', false]);
  equal(new Response().ok, true);
  for (const status of [0, 99, 199, 600, 1000]) throws(() => new Response(null, { status }), 'RangeError', '200 to 599');
  throws(() => new Response('x', { status: 204 }), 'TypeError', 'null body status');
  const json = Response.json({ a: 1 }, { status: 201 });
  equal([json.status, json.headers.get('content-type'), await json.text()], [201, 'application/json', '{"a":1}']);
  equal(Response.json(1, { headers: { 'content-type': 'x/y' } }).headers.get('content-type'), 'x/y');
  throws(() => Response.json(undefined), 'TypeError');
  const redirect = Response.redirect('http://a/b', 307);
  equal([redirect.status, redirect.headers.get('location')], [307, 'http://a/b']);
  throws(() => Response.redirect('http://a', 200), 'RangeError');
  equal([Response.error().type, Response.error().status], ['error', 0]);
});
test('Request: url, method, headers', () => {
  const request = new Request('http://a/b?c', { method: 'post', headers: { X: 'y' }, body: 'z' });
  equal([request.url, request.method, request.headers.get('x'), request.headers.get('content-type')], ['http://a/b?c', 'POST', 'y', 'text/plain;charset=UTF-8']);
  equal(new Request('http://a').url, 'http://a/');
  equal(new Request(new URL('http://a/c')).url, 'http://a/c');
  equal(new Request('http://a', { method: 'custom' }).method, 'custom');
  throws(() => new Request('/relative'), 'TypeError', 'Invalid URL');
  throws(() => new Request('http://a', { method: 'a b' }), 'TypeError');
  throws(() => new Request('http://a', { method: 'TRACE' }), 'TypeError');
  throws(() => new Request('http://a', { body: 'x' }), 'TypeError', 'cannot have a body');
  throws(() => new Request('http://a', { signal: {} }), 'TypeError', 'AbortSignal');
  throws(() => new Request(), 'TypeError');
  ok(new Request('http://a').signal instanceof AbortSignal);
});
test('Request from a request', async () => {
  const first = new Request('http://a/', { method: 'PUT', headers: { x: '1' }, body: 'body' });
  const copy = first.clone();
  const second = new Request(first, { headers: { y: '2' } });
  equal([second.method, second.url, second.headers.get('x'), second.headers.get('y')], ['PUT', 'http://a/', null, '2']);
  equal(first.bodyUsed, true);
  equal(await second.text(), 'body');
  equal([copy.method, copy.url, copy.headers.get('x'), await copy.text()], ['PUT', 'http://a/', '1', 'body']);
  equal(new Request(copy, { body: 'new' }).method, 'PUT');
  throws(() => new Request(copy), 'TypeError', 'already been used');
});
