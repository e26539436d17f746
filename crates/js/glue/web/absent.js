// Names that programs written for Workers may use and that are not there: each says so when it is used.
(function () {
  'use strict';
  const refuse = (name) => { throw new DOMException(`${name} is not implemented in Dolmen`, 'NotSupportedError'); };
  const absentClass = (name) => ({ [name]: class { constructor() { refuse(name); } } })[name];

  const caches = {
    get default() { return refuse('caches.default'); },
    async open() { refuse('caches.open'); },
    async match() { refuse('caches.match'); },
    async has() { refuse('caches.has'); },
    async delete() { refuse('caches.delete'); },
    async keys() { refuse('caches.keys'); },
  };
  const names = ['HTMLRewriter', 'Worker', 'EventSource'];
  return { caches, ...Object.fromEntries(names.map((name) => [name, absentClass(name)])) };
})
