// Node 20's own output.
const path = node('path');
const { inspect } = node('util');
const SHOWN = [
  [() => (path.join('/a', '..', '..', 'b', './c', '')), "'/b/c'"],
  [() => (path.join()), "'.'"],
  [() => (path.join('a', '', '../../x')), "'../x'"],
  [() => (path.join('a', 5)), "TypeError: The \"path\" argument must be of type string. Received type number (5)"],
  [() => (path.resolve('/a/b', '../c', './d')), "'/a/c/d'"],
  [() => (path.resolve('/a', '/b', 'c/')), "'/b/c'"],
  [() => (path.normalize('/a//b/./c/../d/')), "'/a/b/d/'"],
  [() => (path.normalize('')), "'.'"],
  [() => (path.normalize('../../a')), "'../../a'"],
  [() => (path.isAbsolute('/a')), "true"],
  [() => (path.isAbsolute('a')), "false"],
  [() => (path.relative('/data/orandea/test/aaa', '/data/orandea/impl/bbb')), "'../../impl/bbb'"],
  [() => (path.relative('/a/b', '/a/b')), "''"],
  [() => (path.relative('/a', '/a/b/c')), "'b/c'"],
  [() => (path.dirname('/a/b/c')), "'/a/b'"],
  [() => (path.dirname('a')), "'.'"],
  [() => (path.dirname('/a')), "'/'"],
  [() => (path.dirname('')), "'.'"],
  [() => (path.basename('/a/b.html')), "'b.html'"],
  [() => (path.basename('/a/b.html', '.html')), "'b'"],
  [() => (path.basename('/a/b/')), "'b'"],
  [() => (path.extname('a.b.c')), "'.c'"],
  [() => (path.extname('.bashrc')), "''"],
  [() => (path.extname('a.')), "'.'"],
  [() => (path.extname('/x.y/z')), "''"],
  [() => (path.parse('/home/user/file.txt')), "{\n  root: '/',\n  dir: '/home/user',\n  base: 'file.txt',\n  ext: '.txt',\n  name: 'file'\n}"],
  [() => (path.parse('./a/.b')), "{ root: '', dir: './a', base: '.b', ext: '', name: '.b' }"],
  [() => (path.parse('')), "{ root: '', dir: '', base: '', ext: '', name: '' }"],
  [() => (path.format({dir: '/a', base: 'b.c'})), "'/a/b.c'"],
  [() => (path.format({root: '/', name: 'x', ext: 'y'})), "'/x.y'"],
  [() => (path.format({dir: '/a', name: 'b', ext: '.c'})), "'/a/b.c'"],
  [() => (path.format(null)), "TypeError: The \"pathObject\" argument must be of type object. Received null"],
  [() => ([path.sep, path.delimiter]), "[ '/', ':' ]"],
  [() => (path.toNamespacedPath('/a')), "'/a'"],
  [() => (path.posix === path), "true"],
  [() => (path.win32.join('C:\\a', '..', 'b')), "'C:\\\\b'"],
  [() => (path.win32.basename('C:\\a\\b.txt')), "'b.txt'"],
  [() => (path.win32.parse('C:\\path\\dir\\file.txt')), "{\n  root: 'C:\\\\',\n  dir: 'C:\\\\path\\\\dir',\n  base: 'file.txt',\n  ext: '.txt',\n  name: 'file'\n}"],
  [() => (path.win32.resolve('C:\\a', '..\\b')), "'C:\\\\b'"],
  [() => (path.extname(5)), "TypeError: The \"path\" argument must be of type string. Received type number (5)"],
];
test('path gives what Node gives', () => {
  const wrong = [];
  for (const [make, expected] of SHOWN) {
    let shown;
    try { shown = inspect(make()) } catch (error) { shown = `${error.name}: ${error.message}` }
    if (shown !== expected) wrong.push(`${make}\n  expected ${expected}\n  got      ${shown}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});
test('the working directory, and what is missing', () => {
  equal(path.resolve('x'), '/x');
  equal(path.relative('/a', 'b'), '../b');
  equal(node('path/posix') === path, true);
  throws(() => path.matchesGlob('a', '*'), 'Error', 'node:path matchesGlob is not implemented in Dolmen');
});
