const assert = node('assert');
const fails = (body, text) => {
  const error = throws(body, 'AssertionError', text);
  equal(error.code, 'ERR_ASSERTION');
  return error;
};
test('ok', () => {
  assert(true);
  assert.ok(1, 'never');
  fails(() => assert(0), 'falsy value: 0');
  fails(() => assert.ok(), 'No value argument passed');
  equal(fails(() => assert(false, 'mine'), 'mine').generatedMessage, false);
  throws(() => assert(false, new RangeError('own')), 'RangeError', 'own');
});
test('equal and strictEqual', () => {
  assert.equal(1, '1');
  assert.equal(NaN, NaN);
  assert.strictEqual(NaN, NaN);
  assert.notStrictEqual(0, -0);
  const error = fails(() => assert.strictEqual(1, 2), 'Expected values to be strictly equal:\n\n1 !== 2\n');
  equal([error.actual, error.expected, error.operator, error.generatedMessage], [1, 2, 'strictEqual', true]);
  fails(() => assert.equal(1, 2), '1 == 2');
  fails(() => assert.notEqual(1, 1), '1 != 1');
  fails(() => assert.strictEqual({ a: 1 }, { a: 1 }), 'Values have same structure but are not reference-equal');
  fails(() => assert.notStrictEqual(1, 1), 'Expected "actual" to be strictly unequal to: 1');
  throws(() => assert.strictEqual(1), 'TypeError', 'arguments must be specified');
});
test('deepStrictEqual', () => {
  assert.deepStrictEqual({ a: [1, new Map([[1, { b: 2 }]])] }, { a: [1, new Map([[1, { b: 2 }]])] });
  assert.deepEqual({ a: 1 }, { a: '1' });
  assert.notDeepStrictEqual({ a: 1 }, { a: '1' });
  assert.deepEqual(new Set([1]), new Set([1]));
  const error = fails(() => assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3] }), 'Expected values to be strictly deep-equal:\n+ actual - expected\n');
  ok(error.message.includes('+     2') && error.message.includes('-     3'), error.message);
  fails(() => assert.deepEqual({ a: 1 }, { a: 2 }), 'should loosely deep-equal');
  fails(() => assert.notDeepStrictEqual([1], [1]), 'not to be strictly deep-equal');
});
test('throws', () => {
  const thrower = () => { throw Object.assign(new TypeError('bad value'), { code: 'E1' }) };
  assert.throws(thrower);
  assert.throws(thrower, TypeError);
  assert.throws(thrower, /bad/);
  assert.throws(thrower, { message: 'bad value', code: 'E1', name: 'TypeError' });
  assert.throws(thrower, { message: /value/ });
  assert.throws(thrower, (error) => error.code === 'E1');
  assert.throws(thrower, new TypeError('bad value'));
  fails(() => assert.throws(() => {}), 'Missing expected exception.');
  fails(() => assert.throws(() => {}, TypeError, 'why'), 'Missing expected exception (TypeError): why');
  fails(() => assert.throws(thrower, /other/), 'did not match the regular expression /other/');
  fails(() => assert.throws(thrower, RangeError), 'expected to be an instance of "RangeError". Received "TypeError"');
  fails(() => assert.throws(thrower, { code: 'E2' }), "-   code: 'E2'");
  fails(() => assert.throws(thrower, () => false), 'validation function is expected to return "true"');
  throws(() => assert.throws('x'), 'TypeError', 'The "fn" argument must be of type function');
  assert.doesNotThrow(() => {});
  fails(() => assert.doesNotThrow(thrower), 'Got unwanted exception.\nActual message: "bad value"');
});
test('rejects', async () => {
  const bad = async () => { throw new RangeError('bad') };
  await assert.rejects(bad, RangeError);
  await assert.rejects(bad(), { message: 'bad' });
  await rejects(assert.rejects(async () => {}), 'AssertionError', 'Missing expected rejection.');
  await rejects(assert.rejects(() => 5), 'TypeError', 'Expected instance of Promise');
  await rejects(assert.rejects(5), 'TypeError', 'promiseFn');
  await assert.doesNotReject(async () => {});
  await rejects(assert.doesNotReject(bad), 'AssertionError', 'Got unwanted rejection.');
});
test('match, ifError, fail', () => {
  assert.match('abc', /b/);
  assert.doesNotMatch('abc', /x/);
  fails(() => assert.match('abc', /x/), 'The input did not match the regular expression /x/');
  fails(() => assert.match(5, /x/), 'must be of type string');
  assert.ifError(null);
  fails(() => assert.ifError(new Error('oops')), 'ifError got unwanted exception: oops');
  fails(() => assert.fail(), 'Failed');
  fails(() => assert.fail('mine'), 'mine');
});
test('strict, AssertionError, what is missing', () => {
  equal(node('assert/strict') === assert.strict, true);
  fails(() => assert.strict.equal(1, '1'), 'strictly equal');
  equal(assert.strict.strict === assert.strict, true);
  const error = new assert.AssertionError({ actual: 1, expected: 2, operator: 'strictEqual' });
  equal([error.name, error.message], ['AssertionError', 'Expected values to be strictly equal:\n\n1 !== 2\n']);
  throws(() => assert.CallTracker(), 'Error', 'node:assert CallTracker is not implemented in Dolmen');
});
