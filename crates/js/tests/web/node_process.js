const process = node('process');
test('what it says of itself', () => {
  equal(process.platform, 'linux');
  ok(/^v\d+\.\d+\.\d+$/.test(process.version));
  equal(process.version, `v${process.versions.node}`);
  equal(process.cwd(), '/');
  ok(Array.isArray(process.argv));
  equal(Object.prototype.toString.call(process), '[object process]');
  equal(process.env.NODE_ENV, undefined);
  process.env.X = 5;
  equal(process.env.X, '5');
  equal('X' in process.env, true);
  delete process.env.X;
  equal(process.env.X, undefined);
  equal({ ...process.env }, {});
});
test('nextTick, hrtime, uptime', async () => {
  const seen = [];
  process.nextTick((a, b) => seen.push(a, b), 1, 2);
  equal(seen, []);
  await null;
  equal(seen, [1, 2]);
  throws(() => process.nextTick(5), 'TypeError', 'The "callback" argument must be of type function');
  equal(process.hrtime(), [0, 12500000]);
  equal(process.hrtime([0, 500000]), [0, 12000000]);
  equal(process.hrtime.bigint(), 12500000n);
  equal(process.uptime(), 0.0125);
});
test('exit and what is missing throw named errors', () => {
  const error = throws(() => process.exit(3), 'ProcessExit', 'process.exit(3) was called');
  equal([error.code, error.exitCode], ['ERR_PROCESS_EXIT', 3]);
  throws(() => process.memoryUsage(), 'Error', 'node:process memoryUsage is not implemented in Dolmen');
  throws(() => process.chdir('/x'), 'Error', 'node:process chdir');
});
test('events, warnings, output', async () => {
  const before = globalThis.console;
  const lines = [];
  globalThis.console = { warn: (text) => lines.push(`warn ${text}`), log: (text) => lines.push(`log ${text}`), error: (text) => lines.push(`error ${text}`) };
  const warned = new Promise((resolve) => process.once('warning', resolve));
  process.emitWarning('careful', 'CustomWarning', 'C1');
  const warning = await warned;
  equal([warning.name, warning.code], ['CustomWarning', 'C1']);
  process.stdout.write('a\nb');
  process.stdout.write('c\n');
  process.stderr.write('bad\n');
  globalThis.console = before;
  equal(lines, ['warn [C1] CustomWarning: careful', 'log a', 'log bc', 'error bad']);
  equal(process.on('exit', () => {}), process);
});
test('getBuiltinModule', () => {
  equal(process.getBuiltinModule('node:path') === node('path'), true);
  equal(process.getBuiltinModule('fs'), undefined);
  equal(process.getBuiltinModule('internal/errors'), undefined);
});
