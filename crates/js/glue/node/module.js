// module: which modules there are.
(function (native) {
  'use strict';
  const { missing } = native.use('internal/errors');
  const names = Object.freeze(native.names());
  return {
    builtinModules: names,
    isBuiltin: (name) => typeof name === 'string' && names.includes(name.replace(/^node:/, '')),
    createRequire: missing('module', 'createRequire'),
    register: missing('module', 'register'),
  };
})
