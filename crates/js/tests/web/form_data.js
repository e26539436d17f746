test('append, set, get, delete', () => {
  const form = new FormData();
  form.append('a', 1);
  form.append('b', 'x');
  form.append('a', '2');
  equal(form.get('a'), '1');
  equal(form.getAll('a'), ['1', '2']);
  form.set('a', '3');
  equal([...form], [['a', '3'], ['b', 'x']]);
  form.delete('b');
  equal(form.has('b'), false);
  equal(form.get('b'), null);
  equal([...form.keys()], ['a']);
  equal([...form.values()], ['3']);
});
test('blobs become files', async () => {
  const form = new FormData();
  form.append('f', new Blob(['x'], { type: 'a/b' }));
  form.append('g', new Blob(['y']), 'y.txt');
  equal([form.get('f').name, form.get('f').type, form.get('g').name], ['blob', 'a/b', 'y.txt']);
  ok(form.get('f') instanceof File);
  equal(await form.get('g').text(), 'y');
});
test('a form survives a body', async () => {
  const form = new FormData();
  form.append('text', 'one\ntwo é');
  form.append('quote"d', 'v');
  form.append('file', new File([new Uint8Array([0, 13, 10, 255])], 'b.bin', { type: 'application/x-b' }));
  form.append('empty', '');
  const response = new Response(form);
  ok(response.headers.get('content-type').startsWith('multipart/form-data; boundary='));
  const copy = await response.formData();
  equal(copy.get('text'), 'one\r\ntwo é');
  equal(copy.get('quote"d'), 'v');
  equal(copy.get('empty'), '');
  const file = copy.get('file');
  equal([file.name, file.type, file.size], ['b.bin', 'application/x-b', 4]);
  equal(new Uint8Array(await file.arrayBuffer()), new Uint8Array([0, 13, 10, 255]));
});
test('urlencoded bodies, and what is no form', async () => {
  const form = await new Response(new URLSearchParams('a=1&a=2&b=x+y')).formData();
  equal([...form], [['a', '1'], ['a', '2'], ['b', 'x y']]);
  await rejects(new Response('x').formData(), 'TypeError', 'Content-Type');
  await rejects(new Response('x', { headers: { 'content-type': 'multipart/form-data; boundary=q' } }).formData(), 'TypeError');
  await rejects(new Response('--q\r\n\r\n', { headers: { 'content-type': 'multipart/form-data; boundary=q' } }).formData(), 'TypeError');
});
