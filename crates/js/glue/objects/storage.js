// ctx.storage: promises around calls that are done at once, and transactions. native has the calls, makers of `kv` and
// `sql`, and blockConcurrencyWhile.
(native) => {
  const { get, put, getMany, putMany, deleteMany, list, sync } = native;
  const remove = native.delete;
  const { isArray } = Array;
  const { set } = Map.prototype;
  const NativeMap = Map;
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
  const NO_RECOVERY = "This Durable Object's storage back-end does not implement point-in-time recovery.";
  const BAD_PUT = 'put() may only be called with a single key-value pair and optional options as put(key, value, options) or with multiple key-value pairs and optional options as put(entries, options)';

  const text = (key, method, type) => {
    if (key === undefined) throw new TypeError(`Failed to execute '${method}' on 'DurableObjectStorage': parameter 1 is not of type '${type}'.`);
    return `${key}`;
  };
  const operations = {
    get(key) {
      if (typeof key === 'string') return get(key);
      if (isArray(key)) return getMany(key, new NativeMap(), set);
      return get(text(key, 'get', 'string or Array'));
    },
    put(key, value, options) {
      if (typeof key === 'string') {
        if (value === undefined) throw new TypeError('put() called with undefined value.');
        return put(key, value);
      }
      if (isObject(key)) {
        if (options !== undefined || (value !== undefined && !isObject(value))) throw new TypeError(BAD_PUT);
        return putMany(key);
      }
      text(key, 'put', 'string or object');
      if (value === undefined) throw new TypeError('put() called with undefined value.');
      return put(`${key}`, value);
    },
    delete(key) {
      if (typeof key === 'string') return remove(key);
      if (isArray(key)) return deleteMany(key);
      return remove(text(key, 'delete', 'string or Array'));
    },
    list(options) { return list(options, new NativeMap(), set); },
    getAlarm: native.getAlarm,
    setAlarm(time) { return native.setAlarm(time); },
    deleteAlarm: native.deleteAlarm,
  };

  // ---- transactions ------------------------------------------------------------------------------

  // Open asynchronous transactions, the innermost last. They end in that order: who ends earlier waits.
  const open = [];
  const innermost = () => open[open.length - 1];

  class DurableObjectTransaction {
    #state;
    constructor(state) {
      if (state?.key !== native) throw new TypeError('Illegal constructor');
      this.#state = state;
    }
    #check(name) {
      if (this.#state.phase === 'rolled back') throw new Error(`Cannot ${name}() on rolled back transaction`);
      if (this.#state.phase === 'over') {
        throw new Error(`Cannot call ${name}() on transaction that has already committed: did you move \`txn\` outside of the closure?`);
      }
    }
    async get(key) { this.#check('get'); return operations.get(key); }
    async put(key, value, options) { this.#check('put'); return operations.put(key, value, options); }
    async delete(key) { this.#check('delete'); return operations.delete(key); }
    async list(options) { this.#check('list'); return operations.list(options); }
    async getAlarm() { this.#check('getAlarm'); return native.getAlarm(); }
    async setAlarm(time) { this.#check('setAlarm'); return native.setAlarm(time); }
    async deleteAlarm() { this.#check('deleteAlarm'); return native.deleteAlarm(); }
    async deleteAll() { throw new Error('Cannot call deleteAll() within a transaction'); }
    rollback() {
      const state = this.#state;
      if (state.phase === 'rolled back') return;
      this.#check('rollback');
      if (innermost() !== state) throw new Error('Cannot rollback() while a transaction inside this one is open');
      state.phase = 'rolled back';
      native.rollBack(state.level);
    }
  }

  const inTransaction = async (work) => {
    // What the caller writes before it awaits is not part of the transaction, and neither is what it wrote before.
    await undefined;
    while (native.hasWritten()) await sync();
    const state = { key: native, phase: 'open', level: native.begin() };
    state.ended = new Promise((resolve) => { state.end = resolve; });
    open.push(state);
    let keep = false;
    try {
      const result = await work(new DurableObjectTransaction(state));
      keep = true;
      return result;
    } finally {
      while (innermost() !== state) await innermost().ended;
      open.pop();
      if (state.phase === 'open') {
        state.phase = 'over';
        if (keep) native.commit(state.level);
        else native.rollBack(state.level);
      }
      state.end();
    }
  };

  // ---- the storage -------------------------------------------------------------------------------

  let kv;
  let sql;
  class DurableObjectStorage {
    constructor(key) { if (key !== native) throw new TypeError('Illegal constructor'); }
    async get(key) { return operations.get(key); }
    async put(key, value, options) { return operations.put(key, value, options); }
    async delete(key) { return operations.delete(key); }
    async list(options) { return operations.list(options); }
    async deleteAll() { return native.deleteAll(); }
    async getAlarm() { return native.getAlarm(); }
    async setAlarm(time) { return native.setAlarm(time); }
    async deleteAlarm() { return native.deleteAlarm(); }
    async sync() { return sync(); }
    async transaction(work) {
      if (typeof work !== 'function') throw new TypeError("Failed to execute 'transaction' on 'DurableObjectStorage': parameter 1 is not of type 'function'.");
      return native.blockConcurrencyWhile(() => inTransaction(work));
    }
    transactionSync(work) {
      if (typeof work !== 'function') throw new TypeError("Failed to execute 'transactionSync' on 'DurableObjectStorage': parameter 1 is not of type 'function'.");
      const level = native.begin();
      let result;
      try {
        result = work();
      } catch (error) {
        native.rollBack(level);
        throw error;
      }
      native.commit(level);
      return result;
    }
    get kv() { return kv ??= native.makeKv(); }
    get sql() { return sql ??= native.makeSql(); }
    async getCurrentBookmark() { return native.bookmark(); }
    async getBookmarkForTime() { throw new Error(NO_RECOVERY); }
    async onNextSessionRestoreBookmark() { throw new Error(NO_RECOVERY); }
  }
  Object.defineProperty(DurableObjectTransaction.prototype, Symbol.toStringTag, { value: 'DurableObjectTransaction', configurable: true });
  Object.defineProperty(DurableObjectStorage.prototype, Symbol.toStringTag, { value: 'DurableObjectStorage', configurable: true });
  return new DurableObjectStorage(native);
}
