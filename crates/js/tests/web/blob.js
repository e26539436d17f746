test('a Blob joins its parts', async () => {
  const blob = new Blob(['a', new Uint8Array([98]), new Uint8Array([0, 99, 0]).subarray(1, 2), new Uint8Array([100]).buffer, new Blob(['é'])], { type: 'Text/Plain' });
  equal(blob.size, 6);
  equal(blob.type, 'text/plain');
  equal(await blob.text(), 'abcdé');
  equal(new Uint8Array(await blob.arrayBuffer()), new Uint8Array([97, 98, 99, 100, 195, 169]));
  equal(await new Blob().text(), '');
  equal(await new Blob([1, null]).text(), '1null');
});
test('slice', async () => {
  const blob = new Blob(['hello world']);
  equal(await blob.slice(0, 5).text(), 'hello');
  equal(await blob.slice(-5).text(), 'world');
  equal(blob.slice(0, 1, 'x/y').type, 'x/y');
  equal(await blob.slice(3, 1).text(), '');
});
test('bytes and stream', async () => {
  const blob = new Blob(['hi']);
  equal(await blob.bytes(), new Uint8Array([104, 105]));
  const { value, done } = await blob.stream().getReader().read();
  equal([done, Array.from(value)], [false, [104, 105]]);
});
test('a File is a Blob with a name', async () => {
  const file = new File(['x'], 'a.txt', { type: 'text/plain', lastModified: 5 });
  equal([file.name, file.size, file.type, file.lastModified], ['a.txt', 1, 'text/plain', 5]);
  equal(await file.text(), 'x');
  ok(file instanceof Blob);
  ok(file instanceof File);
  ok(!(new Blob() instanceof File));
  equal(await file.slice(0, 1).text(), 'x');
});
