// assert: https://nodejs.org/api/assert.html
(function (native) {
  'use strict';
  const { check, coded, invalidType, invalidValue, missing } = native.use('internal/errors');
  const { isDeepStrictEqual, isDeepEqual } = native.use('internal/equal');
  const { inspect } = native.use('internal/inspect');
  const MOST_LINES = 50;
  const TITLES = {
    deepStrictEqual: 'Expected values to be strictly deep-equal:',
    strictEqual: 'Expected values to be strictly equal:',
    deepEqual: 'Expected values to be loosely deep-equal:',
    notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
    notStrictEqual: 'Expected "actual" to be strictly unequal to:',
    notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  };
  const shown = (value) => inspect(value, {
    compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false,
    sorted: true, getters: true, breakLength: Infinity,
  });

  // The lines of both, those of one marked: the longest common part is found by table.
  const difference = (actual, expected) => {
    const [left, right] = [actual.split('\n').slice(0, 500), expected.split('\n').slice(0, 500)];
    const table = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
    for (let i = left.length - 1; i >= 0; i--) {
      for (let j = right.length - 1; j >= 0; j--) {
        table[i][j] = left[i] === right[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
      }
    }
    const lines = [];
    let [i, j] = [0, 0];
    while (i < left.length || j < right.length) {
      if (i < left.length && j < right.length && left[i] === right[j]) {
        lines.push(`  ${left[i]}`);
        i++;
        j++;
      } else if (i < left.length && (j >= right.length || table[i + 1][j] >= table[i][j + 1])) lines.push(`+ ${left[i++]}`);
      else lines.push(`- ${right[j++]}`);
    }
    if (lines.length > MOST_LINES) lines.splice(MOST_LINES, lines.length, '...');
    return lines.join('\n');
  };

  const generated = (actual, expected, operator) => {
    if (operator === 'deepStrictEqual' || operator === 'strictEqual') {
      const [left, right] = [shown(actual), shown(expected)];
      const isPlain = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');
      if (operator === 'strictEqual' && left === right && !isPlain(actual)) {
        return `Values have same structure but are not reference-equal:\n\n${left}\n`;
      }
      if (!left.includes('\n') && !right.includes('\n') && left.length + right.length <= 70 && isPlain(actual) && isPlain(expected)) {
        return `${TITLES[operator]}\n\n${left} !== ${right}\n`;
      }
      return `${TITLES[operator]}\n+ actual - expected\n\n${difference(left, right)}\n`;
    }
    if (operator === 'notDeepStrictEqual' || operator === 'notStrictEqual') {
      const text = shown(actual);
      return `${TITLES[operator]}${text.includes('\n') || text.length > 5 ? `\n\n${text}\n` : ` ${text}`}`;
    }
    const [left, right] = [inspect(actual), inspect(expected)];
    if (operator === 'deepEqual') return `${TITLES.deepEqual}\n\n${left}\n\nshould loosely deep-equal\n\n${right}`;
    if (operator === 'notDeepEqual') return `${TITLES.notDeepEqual}\n\n${left}\n\nshould not loosely deep-equal\n\n${right}`;
    return `${left} ${operator} ${right}`;
  };

  class AssertionError extends Error {
    constructor(options) {
      check.object(options, 'options');
      const { message, operator, actual, expected, stackStartFn } = options;
      super(message !== undefined && message !== null ? `${message}` : generated(actual, expected, operator));
      this.generatedMessage = message === undefined || message === null;
      this.code = 'ERR_ASSERTION';
      this.actual = actual;
      this.expected = expected;
      this.operator = operator;
      if (stackStartFn) Error.captureStackTrace?.(this, stackStartFn);
    }
    toString() { return `${this.name} [${this.code}]: ${this.message}`; }
  }
  Object.defineProperty(AssertionError.prototype, 'name', { value: 'AssertionError', writable: true, configurable: true });

  const fails = (actual, expected, message, operator, from) => {
    if (message instanceof Error) throw message;
    throw new AssertionError({ actual, expected, message, operator, stackStartFn: from });
  };

  const truthy = (args, from) => {
    const [value, message] = args;
    if (value) return;
    if (message instanceof Error) throw message;
    const error = new AssertionError({
      actual: value, expected: true, operator: '==', stackStartFn: from,
      message: args.length === 0 ? 'No value argument passed to `assert.ok()`' : message ?? `The expression evaluated to a falsy value: ${inspect(value)}`,
    });
    error.generatedMessage = message === undefined || message === null;
    throw error;
  };

  function assert(...args) { truthy(args, assert); }
  assert.ok = function ok(...args) { truthy(args, ok); };
  assert.fail = function fail(message) {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message: message ?? 'Failed', operator: 'fail', stackStartFn: fail });
    error.generatedMessage = message === undefined;
    throw error;
  };

  const pair = (args) => {
    if (args.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
  };
  const compare = (name, holds, operator = name) => {
    const method = {
      [name](actual, expected, message) {
        pair(arguments);
        if (!holds(actual, expected)) fails(actual, expected, message, operator, method);
      },
    }[name];
    assert[name] = method;
  };
  // eslint-disable-next-line eqeqeq
  const loosely = (left, right) => left == right || (Number.isNaN(left) && Number.isNaN(right));
  compare('equal', loosely, '==');
  compare('notEqual', (left, right) => !loosely(left, right), '!=');
  compare('strictEqual', Object.is);
  compare('notStrictEqual', (left, right) => !Object.is(left, right));
  compare('deepEqual', isDeepEqual);
  compare('notDeepEqual', (left, right) => !isDeepEqual(left, right));
  compare('deepStrictEqual', isDeepStrictEqual);
  compare('notDeepStrictEqual', (left, right) => !isDeepStrictEqual(left, right));

  const matching = (name, wanted) => {
    const method = {
      [name](text, pattern, message) {
        if (!(pattern instanceof RegExp)) throw invalidType('regexp', 'RegExp', pattern);
        const matches = typeof text === 'string' && pattern.exec(text) !== null;
        if (typeof text === 'string' && matches === wanted) return;
        if (message instanceof Error) throw message;
        const why = typeof text !== 'string' ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
          : `${wanted ? 'The input did not match the regular expression ' : 'The input was expected to not match the regular expression '}${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;
        const error = new AssertionError({ actual: text, expected: pattern, message: message ?? why, operator: name, stackStartFn: method });
        error.generatedMessage = message === undefined;
        throw error;
      },
    }[name];
    assert[name] = method;
  };
  matching('match', true);
  matching('doesNotMatch', false);

  assert.ifError = function ifError(value) {
    if (value === null || value === undefined) return;
    let message = 'ifError got unwanted exception: ';
    if (typeof value === 'object' && typeof value.message === 'string') message += value.message.length === 0 && value.constructor ? value.constructor.name : value.message;
    else message += inspect(value);
    const error = new AssertionError({ actual: value, expected: null, operator: 'ifError', message, stackStartFn: ifError });
    error.generatedMessage = true;
    throw error;
  };

  // Whether what was thrown is what was wanted; throws if not.
  const expectError = (actual, expected, message, operator) => {
    if (expected === undefined) return;
    if (expected instanceof RegExp) {
      if (expected.test(String(actual))) return;
      fails(actual, expected, message ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(actual))}\n`, operator, assert[operator]);
    }
    if (typeof expected === 'object') {
      if (actual === null || (typeof actual !== 'object' && typeof actual !== 'function')) fails(actual, expected, message, 'deepStrictEqual', assert[operator]);
      const keys = Object.keys(expected);
      if (expected instanceof Error) keys.push('name', 'message');
      else if (keys.length === 0) throw invalidValue('error', expected, 'may not be an empty object');
      for (const key of keys) {
        const matches = typeof actual[key] === 'string' && expected[key] instanceof RegExp ? expected[key].test(actual[key])
          : key in actual && isDeepStrictEqual(actual[key], expected[key]);
        if (matches) continue;
        const part = (source) => Object.fromEntries(keys.filter((one) => one in source).map((one) => [one, source[one]]));
        const why = `${TITLES.deepStrictEqual}\n+ actual - expected\n\n${difference(shown(part(actual)), shown(part(expected)))}\n`;
        fails(actual, expected, message ?? why, operator, assert[operator]);
      }
      return;
    }
    if (expected.prototype !== undefined && actual instanceof expected) return;
    if (Error.isPrototypeOf?.(expected) || expected === Error || expected.prototype instanceof Error) {
      if (message === undefined) {
        const name = actual?.constructor?.name;
        message = `The error is expected to be an instance of "${expected.name}". Received ${name ? `"${name}"` : inspect(actual)}${actual?.message ? `\n\nError message:\n\n${actual.message}` : ''}`;
      }
      fails(actual, expected, message, operator, assert[operator]);
    }
    const result = expected.call({}, actual);
    if (result === true) return;
    fails(actual, expected, message ?? `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(result)}\n\nCaught error:\n\n${inspect(actual)}`, operator, assert[operator]);
  };
  const wanted = (expected, message, what) => {
    if (typeof expected === 'string') {
      if (message !== undefined) throw invalidType('error', ['Function', 'Error', 'RegExp', 'Object'], expected);
      return [undefined, expected];
    }
    if (expected !== undefined && expected !== null && typeof expected !== 'object' && typeof expected !== 'function') {
      throw invalidType(what, ['Function', 'Error', 'RegExp', 'Object'], expected);
    }
    return [expected ?? undefined, message];
  };
  const nothing = (expected, message, operator) => {
    let details = '';
    if (expected?.name) details += ` (${expected.name})`;
    details += message ? `: ${message}` : '.';
    const error = new AssertionError({
      actual: undefined, expected, operator, stackStartFn: assert[operator],
      message: message instanceof Error ? undefined : `Missing expected ${operator === 'rejects' ? 'rejection' : 'exception'}${details}`,
    });
    throw message instanceof Error ? message : error;
  };
  const unwanted = (actual, expected, message, operator) => {
    [expected, message] = wanted(expected, message, 'expected');
    const fits = expected === undefined || (expected instanceof RegExp ? expected.test(String(actual))
      : expected.prototype !== undefined && actual instanceof expected ? true : !(expected.prototype instanceof Error) && expected !== Error && expected(actual) === true);
    if (!fits) throw actual;
    throw new AssertionError({
      actual, expected, operator, stackStartFn: assert[operator],
      message: `Got unwanted ${operator === 'doesNotReject' ? 'rejection' : 'exception'}${message ? `: ${message}` : '.'}\nActual message: "${actual?.message}"`,
    });
  };

  assert.throws = function throws(body, expected, message) {
    if (typeof body !== 'function') throw invalidType('fn', 'function', body);
    [expected, message] = wanted(expected, message, 'error');
    let thrown;
    try {
      body();
    } catch (error) {
      thrown = { error };
    }
    if (!thrown) nothing(expected, message, 'throws');
    expectError(thrown.error, expected, message, 'throws');
  };
  assert.doesNotThrow = function doesNotThrow(body, expected, message) {
    if (typeof body !== 'function') throw invalidType('fn', 'function', body);
    try {
      body();
    } catch (error) {
      unwanted(error, expected, message, 'doesNotThrow');
    }
  };
  const promised = (body) => {
    if (typeof body === 'function') {
      const result = body();
      if (typeof result?.then !== 'function') {
        throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${result === undefined ? 'undefined' : `type ${typeof result}`}.`);
      }
      return result;
    }
    if (typeof body?.then === 'function') return body;
    throw invalidType('promiseFn', ['function', 'Promise'], body);
  };
  assert.rejects = async function rejects(body, expected, message) {
    [expected, message] = wanted(expected, message, 'error');
    let thrown;
    try {
      await promised(body);
    } catch (error) {
      if (error?.code === 'ERR_INVALID_RETURN_VALUE' || (error?.code === 'ERR_INVALID_ARG_TYPE' && /"promiseFn"/.test(error.message))) throw error;
      thrown = { error };
    }
    if (!thrown) nothing(expected, message, 'rejects');
    expectError(thrown.error, expected, message, 'rejects');
  };
  assert.doesNotReject = async function doesNotReject(body, expected, message) {
    try {
      await promised(body);
    } catch (error) {
      unwanted(error, expected, message, 'doesNotReject');
    }
  };

  assert.AssertionError = AssertionError;
  for (const name of ['partialDeepStrictEqual', 'CallTracker']) assert[name] = missing('assert', name);
  function strict(...args) { truthy(args, strict); }
  assert.strict = Object.assign(strict, assert, {
    equal: assert.strictEqual, deepEqual: assert.deepStrictEqual, notEqual: assert.notStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
  });
  strict.strict = strict;
  return assert;
})
