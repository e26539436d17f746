// The engine's `map` and `filter` of iterators lose a reference to every item that is an object, which then can never
// be freed, and cannot be closed over an iterator without `return`.
() => {
  const { apply } = Reflect;
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
  const step = (iterator, next) => {
    const result = apply(next, iterator, []);
    if (!isObject(result)) throw new TypeError('not an object');
    return result.done ? undefined : result;
  };
  const close = (iterator) => {
    const end = iterator.return;
    if (end !== undefined && end !== null) apply(end, iterator, []);
  };
  const walk = function* (iterator, next, visit) {
    // Whoever ends this between two steps ends the iterator too; its own end or error already has.
    let between = false;
    try {
      for (let index = 0, result; (result = step(iterator, next)) !== undefined; index++) {
        between = true;
        yield* visit(result.value, index);
        between = false;
      }
    } finally {
      if (between) close(iterator);
    }
  };
  const checked = (iterator, callback) => {
    if (!isObject(iterator)) throw new TypeError('not an object');
    if (typeof callback !== 'function') throw new TypeError('not a function');
    return iterator.next;
  };
  const methods = {
    map(mapper) {
      return walk(this, checked(this, mapper), function* (item, index) { yield mapper(item, index); });
    },
    filter(predicate) {
      return walk(this, checked(this, predicate), function* (item, index) { if (predicate(item, index)) yield item; });
    },
  };
  for (const name of ['map', 'filter']) {
    Object.defineProperty(Iterator.prototype, name, { value: methods[name], writable: true, configurable: true });
  }
}
