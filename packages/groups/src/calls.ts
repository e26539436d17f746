// Calls of other objects: each with a time limit, and once more if the object was reset under the call.

export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** What `promise` becomes, or a TimeoutError after `limitMs`. */
export async function within<R>(limitMs: number, what: string, promise: Promise<R>): Promise<R> {
  let timer: number | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`${what} did not answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the object that was called was reset, or did not start. */
export function isReset(error: unknown): boolean {
  return typeof error === "object" && error !== null && "durableObjectReset" in error && error.durableObjectReset === true;
}

/** Whether the call failed because its object was reset or out of reach: a new stub may reach it. */
export function isBroken(error: unknown): boolean {
  return isReset(error) || (typeof error === "object" && error !== null && "retryable" in error && error.retryable === true);
}

/**
 * Stubs of one namespace, typed by the calls that are made on them. One stub for each id is kept, because calls on one
 * stub arrive in the order they are made; it is replaced when its object was reset, which breaks it.
 */
export class Stubs<Calls> {
  readonly #namespace: DurableObjectNamespace;
  readonly #stubs = new Map<string, Calls>();

  readonly #idOf: (id: string, namespace: DurableObjectNamespace) => DurableObjectId;

  /** `idOf` finds the id that hex digits stand for, where it has a name that the object should see. */
  constructor(namespace: unknown, idOf = (id: string, namespace: DurableObjectNamespace) => namespace.idFromString(id)) {
    this.#namespace = namespace as DurableObjectNamespace;
    this.#idOf = idOf;
  }

  /** Makes `call` on the stub of `id`, and once more on a new stub if the object was reset. */
  async call<R>(id: string, limitMs: number, call: (stub: Calls) => Promise<R>): Promise<R> {
    let stub = this.#stubs.get(id);
    if (stub === undefined) this.#stubs.set(id, (stub = this.#fresh(id)));
    try {
      return await within(limitMs, `The object ${id}`, call(stub));
    } catch (error) {
      if (this.#stubs.get(id) === stub) this.#stubs.delete(id);
      if (!isBroken(error)) throw error;
      return within(limitMs, `The object ${id}`, call(this.#fresh(id)));
    }
  }

  #fresh(id: string): Calls {
    return this.#namespace.get(this.#idOf(id, this.#namespace)) as unknown as Calls;
  }
}

/** Runs `work` on every item, at most `width` at a time. `work` must not reject. */
export async function eachOf<I>(items: Iterable<I>, width: number, work: (item: I) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
