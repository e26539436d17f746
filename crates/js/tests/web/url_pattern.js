test('what is no pattern', () => {
  throws(() => new URLPattern('/books'), 'TypeError', 'Invalid URLPattern');
  throws(() => new URLPattern({ pathname: '/(' }), 'TypeError', 'Invalid URLPattern');
  throws(() => new URLPattern({ pathname: '/:a/:a' }), 'TypeError', 'Invalid URLPattern');
  throws(() => new URLPattern({ pathname: '/a' }, 'https://a.example'), 'TypeError');
});
test('names, wildcards and groups', () => {
  const books = new URLPattern({ pathname: '/books/:id(\\d+)/:part?' });
  equal(books.pathname, '/books/:id(\\d+)/:part?');
  equal([books.protocol, books.hostname, books.hasRegExpGroups], ['*', '*', true]);
  const found = books.exec('https://example.com/books/12/intro?x#y');
  equal(found.pathname, { input: '/books/12/intro', groups: { id: '12', part: 'intro' } });
  equal([found.hostname.input, found.search.input, found.hash.input, found.inputs], ['example.com', 'x', 'y', ['https://example.com/books/12/intro?x#y']]);
  equal(books.exec('https://example.com/books/12').pathname.groups.part, undefined);
  equal([books.exec('https://example.com/books/x'), books.test('https://example.com/books/x'), books.test('no url')], [null, false, false]);
});
test('patterns as text, with a base, as objects and for URLs', () => {
  const site = new URLPattern('https://*.example.com/:page');
  equal([site.hostname, site.test('https://a.example.com/p'), site.test('http://a.example.com/p')], ['*.example.com', true, false]);
  equal(new URLPattern('/a/*', 'https://example.com').test('/a/b', 'https://example.com'), true);
  equal(new URLPattern({ pathname: '/a', baseURL: 'https://example.com' }).test({ pathname: '/a', baseURL: 'https://example.com' }), true);
  equal(site.test(new URL('https://b.example.com/x')), true);
  equal(new URLPattern({ pathname: '/Abc' }, { ignoreCase: true }).test({ pathname: '/aBC' }), true);
  equal(new URLPattern({ pathname: '/Abc' }).test({ pathname: '/aBC' }), false);
  equal(new URLPattern().test('https://anything.example/'), true);
});
