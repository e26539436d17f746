test('URL parses, resolves and rejects', () => {
  const url = new URL('../b?x=1#y', 'https://user:pw@example.com:8080/a/c');
  equal(url.href, 'https://user:pw@example.com:8080/b?x=1#y');
  equal([url.protocol, url.host, url.hostname, url.port, url.pathname, url.search, url.hash, url.username, url.password, url.origin].join(' '),
    'https: example.com:8080 example.com 8080 /b ?x=1 #y user pw https://example.com:8080');
  throws(() => new URL('/a'), 'TypeError');
  throws(() => new URL('http://'), 'TypeError');
  equal(`${new URL('HTTP://EXAMPLE.com:80/%7Efoo/../bar')}`, 'http://example.com/bar');
  equal(JSON.stringify({ url: new URL('http://a/') }), '{"url":"http://a/"}');
});
test('URL changes through its setters', () => {
  const url = new URL('http://a/b');
  url.pathname = '/x y';
  url.search = 'q=1';
  url.hash = 'h';
  url.port = '99';
  url.host = 'c.d';
  url.protocol = 'https';
  equal(url.href, 'https://c.d:99/x%20y?q=1#h');
  url.href = 'http://z/';
  equal(url.host, 'z');
});
test('URL.canParse and URL.parse', () => {
  equal(URL.canParse('http://a'), true);
  equal(URL.canParse('a'), false);
  equal(URL.canParse('a', 'http://b'), true);
  equal(URL.parse('http://a/b').pathname, '/b');
  equal(URL.parse('nope'), null);
});
test('searchParams and the URL follow each other', () => {
  const url = new URL('http://a/?x=1&x=2&y=%20z+w');
  equal(url.searchParams.getAll('x'), ['1', '2']);
  equal(url.searchParams.get('y'), ' z w');
  url.searchParams.append('n', 'ä&');
  equal(url.search, '?x=1&x=2&y=+z+w&n=%C3%A4%26');
  url.searchParams.delete('x');
  equal(url.href, 'http://a/?y=+z+w&n=%C3%A4%26');
  url.search = '?k=v';
  equal(url.searchParams.get('k'), 'v');
});
test('URLSearchParams from text, pairs and objects', () => {
  equal(`${new URLSearchParams('?a=1&b=2')}`, 'a=1&b=2');
  equal(`${new URLSearchParams([['a', '1'], ['a', '2']])}`, 'a=1&a=2');
  equal(`${new URLSearchParams({ a: 1, b: 'x y' })}`, 'a=1&b=x+y');
  equal(`${new URLSearchParams(new Map([['m', '1']]))}`, 'm=1');
  equal(`${new URLSearchParams(new URLSearchParams('c=d'))}`, 'c=d');
  const params = new URLSearchParams('b=2&a=1&b=3');
  params.sort();
  equal([...params], [['a', '1'], ['b', '2'], ['b', '3']]);
  equal([...params.keys()], ['a', 'b', 'b']);
  equal([...params.values()], ['1', '2', '3']);
  equal(params.size, 3);
  equal(params.has('a'), true);
  equal(params.has('b', '9'), false);
  params.set('b', 'only');
  equal(`${params}`, 'a=1&b=only');
  equal(params.get('none'), null);
  const seen = [];
  params.forEach((value, name) => seen.push(`${name}${value}`));
  equal(seen, ['a1', 'bonly']);
  equal(`${new URLSearchParams('a=%zz&=x&b')}`, 'a=%25zz&=x&b=');
});
test('classes name themselves', () => {
  equal(Object.prototype.toString.call(new URL('http://a')), '[object URL]');
  equal(Object.prototype.toString.call(new URLSearchParams()), '[object URLSearchParams]');
});
