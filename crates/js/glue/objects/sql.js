// ctx.storage.sql: the class around exec. native has exec, size and the prototypes of what exec gives.
(native) => {
  const { defineProperty, setPrototypeOf, getPrototypeOf } = Object;
  const { exec, size, cursorPrototype, rowsPrototype } = native;
  const hidden = (target, name, value) => defineProperty(target, name, { value, writable: true, configurable: true });
  const tag = (prototype, name) => defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });

  class Cursor {
    constructor() { throw new TypeError('Illegal constructor'); }
  }
  class Statement {
    constructor() { throw new TypeError('Illegal constructor'); }
  }
  // Cursors are made in Rust, over a prototype of its own.
  const aboveCursor = Cursor.prototype;
  setPrototypeOf(aboveCursor, null);
  hidden(cursorPrototype, 'constructor', Cursor);
  hidden(cursorPrototype, Symbol.iterator, cursorPrototype.rows);
  delete cursorPrototype.rows;
  tag(cursorPrototype, 'Cursor');
  defineProperty(Cursor, Symbol.hasInstance, { value: (value) => cursorPrototype.isPrototypeOf(value) });
  // Iterators over rows have the helpers of all iterators.
  setPrototypeOf(rowsPrototype, getPrototypeOf(getPrototypeOf([][Symbol.iterator]())));
  tag(rowsPrototype, 'RowIterator');

  class SqlStorage {
    constructor(key) { if (key !== native) throw new TypeError('Illegal constructor'); }
    get databaseSize() { return size(); }
    get Cursor() { return Cursor; }
    get Statement() { return Statement; }
  }
  hidden(SqlStorage.prototype, 'exec', exec);
  tag(SqlStorage.prototype, 'SqlStorage');
  return new SqlStorage(native);
}
