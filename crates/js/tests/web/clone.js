test('values are copied', () => {
  const value = { list: [1, , 3], date: new Date(5), map: new Map([[{ a: 1 }, new Set([1n])]]), re: /x/gi, error: new RangeError('r', { cause: 'c' }) };
  value.self = value;
  const copy = structuredClone(value);
  ok(copy !== value && copy.self === copy);
  equal([copy.list.length, 1 in copy.list, copy.date.getTime(), `${copy.re}`], [3, false, 5, '/x/gi']);
  const [[key, set]] = copy.map;
  equal([key, set.has(1n)], [{ a: 1 }, true]);
  ok(copy.error instanceof RangeError);
  equal([copy.error.message, copy.error.cause], ['r', 'c']);
});
test('a transferred buffer moves', () => {
  const buffer = new Uint8Array([1, 2]).buffer;
  const copy = structuredClone({ buffer, view: new Uint8Array(buffer, 1) }, { transfer: [buffer] });
  equal([buffer.byteLength, buffer.detached], [0, true]);
  equal(Array.from(copy.view), [2]);
  ok(copy.view.buffer === copy.buffer);
  const unused = new ArrayBuffer(1);
  structuredClone(1, { transfer: [unused] });
  equal(unused.detached, true);
});
test('what cannot be cloned', () => {
  throws(() => structuredClone(() => 1), 'DataCloneError', '() => 1 could not be cloned.');
  throws(() => structuredClone({ a: Symbol('s') }), 'DataCloneError', 'Symbol(s)');
  throws(() => structuredClone(new Response()), 'DataCloneError', 'Could not serialize object of type "Response"');
  throws(() => structuredClone(new Event('x')), 'DataCloneError');
  throws(() => structuredClone(), 'TypeError', '1 argument');
  const buffer = new ArrayBuffer(1);
  throws(() => structuredClone(1, { transfer: [buffer, buffer] }), 'DataCloneError', 'duplicate');
  throws(() => structuredClone(1, { transfer: [{}] }), 'DataCloneError');
  equal(buffer.detached, false);
  structuredClone(buffer, { transfer: [buffer] });
  throws(() => structuredClone(1, { transfer: [buffer] }), 'DataCloneError', 'detached');
});
