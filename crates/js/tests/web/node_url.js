// Node 20's own output.
const url = node('url');
const querystring = node('querystring');
const { inspect } = node('util');
const SHOWN = [
  [() => ({...url.parse('http://user:pa%20ss@sub.example.com:8080/p/a/t/h?query=string&b=1#hash')}), "{\n  protocol: 'http:',\n  slashes: true,\n  auth: 'user:pa ss',\n  host: 'sub.example.com:8080',\n  port: '8080',\n  hostname: 'sub.example.com',\n  hash: '#hash',\n  search: '?query=string&b=1',\n  query: 'query=string&b=1',\n  pathname: '/p/a/t/h',\n  path: '/p/a/t/h?query=string&b=1',\n  href: 'http://user:pa%20ss@sub.example.com:8080/p/a/t/h?query=string&b=1#hash'\n}"],
  [() => ({...url.parse('/a?b=c', true)}), "{\n  protocol: null,\n  slashes: null,\n  auth: null,\n  host: null,\n  port: null,\n  hostname: null,\n  hash: null,\n  search: '?b=c',\n  query: [Object: null prototype] { b: 'c' },\n  pathname: '/a',\n  path: '/a?b=c',\n  href: '/a?b=c'\n}"],
  [() => (url.parse('//host/path', false, true).host), "'host'"],
  [() => (url.parse('mailto:a@b.c').href), "'mailto:a@b.c'"],
  [() => (url.parse('http://EXAMPLE.com').hostname), "'example.com'"],
  [() => (url.parse('http://münchen.de/ä?ö').href), "'http://xn--mnchen-3ya.de/ä?ö'"],
  [() => (url.parse('javascript:alert(1)').pathname), "'alert(1)'"],
  [() => (url.parse('http://a.com:99999x/')), "Url {\n  protocol: 'http:',\n  slashes: true,\n  auth: null,\n  host: 'a.com',\n  port: null,\n  hostname: 'a.com',\n  hash: null,\n  search: null,\n  query: null,\n  pathname: '/:99999x/',\n  path: '/:99999x/',\n  href: 'http://a.com/:99999x/'\n}"],
  [() => (url.parse('http://[::1]:80/').hostname), "'::1'"],
  [() => (url.parse(5)), "TypeError: The \"url\" argument must be of type string. Received type number (5)"],
  [() => (url.parse('http://a.b/{x}|y').href), "'http://a.b/%7Bx%7D%7Cy'"],
  [() => (url.format({protocol: 'https', hostname: 'a.b', pathname: '/c', query: {x: 1, y: ['a', 'b']}})), "'https://a.b/c?x=1&y=a&y=b'"],
  [() => (url.format({host: 'a:80', pathname: 'x', search: 'q=1#'})), "'a:80x?q=1%23'"],
  [() => (url.format(new URL('http://a:b@xn--mnchen-3ya.de/p?q#h'), {fragment: false, unicode: true, auth: false})), "'http://münchen.de/p?q'"],
  [() => (url.format('http://a.b')), "'http://a.b/'"],
  [() => (url.format(5)), "TypeError: The \"urlObject\" argument must be one of type object or string. Received type number (5)"],
  [() => (url.resolve('/one/two/three', 'four')), "'/one/two/four'"],
  [() => (url.resolve('http://example.com/', '/one')), "'http://example.com/one'"],
  [() => (url.resolve('http://example.com/one', '/two')), "'http://example.com/two'"],
  [() => (url.resolve('http://a.com/b/c/d', '../e?f')), "'http://a.com/b/e?f'"],
  [() => (url.resolve('http://a.com/b', '//c.com/d')), "'http://c.com/d'"],
  [() => (url.fileURLToPath('file:///a/b%20c')), "'/a/b c'"],
  [() => (url.fileURLToPath('http://a')), "TypeError: The URL must be of scheme file"],
  [() => (url.fileURLToPath('file:///a%2fb')), "TypeError: File URL path must not include encoded / characters"],
  [() => (url.fileURLToPath('file://host/a')), "TypeError: File URL host must be \"localhost\" or empty on linux"],
  [() => (url.pathToFileURL('/a b/c#d?e%f').href), "'file:///a%20b/c%23d%3Fe%25f'"],
  [() => (url.domainToASCII('español.com')), "'xn--espaol-zwa.com'"],
  [() => (url.domainToUnicode('xn--espaol-zwa.com')), "'español.com'"],
  [() => ({...url.urlToHttpOptions(new URL('https://a:b@測試.com:81/p?q=1#h'))}), "{\n  protocol: 'https:',\n  hostname: 'xn--g6w251d.com',\n  hash: '#h',\n  search: '?q=1',\n  pathname: '/p',\n  path: '/p?q=1',\n  href: 'https://a:b@xn--g6w251d.com:81/p?q=1#h',\n  port: 81,\n  auth: 'a:b'\n}"],
  [() => (new url.URL('http://a').href), "'http://a/'"],
  [() => (new url.URLSearchParams('a=b').get('a')), "'b'"],
  [() => (querystring.parse('a=1&b=2&a=3&c=%20x+y&d&=e&%zz=1')), "[Object: null prototype] {\n  a: [ '1', '3' ],\n  b: '2',\n  c: ' x y',\n  d: '',\n  '': 'e',\n  '%zz': '1'\n}"],
  [() => (querystring.parse('a:1;b:2', ';', ':')), "[Object: null prototype] { a: '1', b: '2' }"],
  [() => (querystring.parse('a=1&b=2&c=3', null, null, {maxKeys: 2})), "[Object: null prototype] { a: '1', b: '2' }"],
  [() => (querystring.parse('')), "[Object: null prototype] {}"],
  [() => (querystring.stringify({a: 1, b: ['x', 'y'], c: true, d: null, e: undefined, f: 'ä &', g: 5n, h: NaN})), "'a=1&b=x&b=y&c=true&d=&e=&f=%C3%A4%20%26&g=5&h='"],
  [() => (querystring.stringify({a: 1, b: 2}, ';', ':')), "'a:1;b:2'"],
  [() => (querystring.stringify('x')), "''"],
  [() => (querystring.escape('a b&c')), "'a%20b%26c'"],
  [() => (querystring.unescape('a%20b%zz%ff')), "'a b%zz�'"],
];
test('url gives what Node gives', () => {
  const wrong = [];
  for (const [make, expected] of SHOWN) {
    let shown;
    try { shown = inspect(make()) } catch (error) { shown = `${error.name}: ${error.message}` }
    if (shown !== expected) wrong.push(`${make}\n  expected ${expected}\n  got      ${shown}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});
