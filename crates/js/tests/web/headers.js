test('names are case-insensitive, values are joined', () => {
  const headers = new Headers({ 'Content-Type': 'a', 'X-B': 1 });
  equal(headers.get('content-type'), 'a');
  equal(headers.get('x-b'), '1');
  headers.append('X-b', ' 2\t');
  equal(headers.get('X-B'), '1, 2');
  headers.set('x-B', '3');
  equal(headers.get('x-b'), '3');
  equal(headers.has('X-B'), true);
  headers.delete('X-B');
  equal(headers.has('x-b'), false);
  equal(headers.get('none'), null);
});
test('iteration is sorted', () => {
  const headers = new Headers([['b', '1'], ['A', '2'], ['b', '3']]);
  equal([...headers], [['a', '2'], ['b', '1, 3']]);
  equal([...headers.keys()], ['a', 'b']);
  equal([...headers.values()], ['2', '1, 3']);
  equal([...new Headers(headers)], [...headers]);
  const seen = [];
  headers.forEach((value, name, all) => seen.push(name + value + (all === headers)));
  equal(seen, ['a2true', 'b1, 3true']);
});
test('cookies stay apart', () => {
  const headers = new Headers();
  headers.append('set-cookie', 'a=1');
  headers.append('Set-Cookie', 'b=2');
  equal(headers.getSetCookie(), ['a=1', 'b=2']);
  equal(headers.get('set-cookie'), 'a=1, b=2');
  equal([...headers], [['set-cookie', 'a=1'], ['set-cookie', 'b=2']]);
  headers.set('set-cookie', 'c');
  equal(headers.getSetCookie(), ['c']);
  equal(new Headers().getSetCookie(), []);
});
test('what is no header is refused', () => {
  throws(() => new Headers({ 'a b': '1' }), 'TypeError', 'a b');
  throws(() => new Headers({ '': '1' }), 'TypeError');
  throws(() => new Headers({ a: 'x\r\ny' }), 'TypeError');
  throws(() => new Headers({ a: '€' }), 'TypeError');
  throws(() => new Headers([['a']]), 'TypeError');
  throws(() => new Headers(null), 'TypeError');
  throws(() => new Headers().get('a b'), 'TypeError');
  throws(() => new Headers().append('a'), 'TypeError', '2 arguments');
  equal(new Headers({ a: 'é' }).get('a'), 'é');
});
