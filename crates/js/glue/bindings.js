// Adds to an `env` what is no namespace of its own.
(function () {
  'use strict';
  const set = (env, name, value) => Object.defineProperty(env, name, { value, writable: true, enumerable: true, configurable: true });

  // Programs may pass it on and look at it; to use it is an error.
  const absent = (name, kind) => new Proxy({}, {
    get(_target, member) {
      if (typeof member === 'symbol' || member === 'then' || member === 'toJSON') return undefined;
      throw new Error(`env.${name}.${member} is not there: ${kind} of the wrangler file is not implemented in Dolmen.`);
    },
  });

  return (env, list, entrypoint) => {
    for (const [kind, name, value, props] of list) {
      if (kind === 'var') set(env, name, value);
      else if (kind === 'namespace') set(env, name, env[value]);
      else if (kind === 'entrypoint') set(env, name, entrypoint(value, props));
      else set(env, name, absent(name, value));
    }
  };
})
