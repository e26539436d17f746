// tty: nothing is a terminal.
(function (native) {
  'use strict';
  return native.use('internal/errors').withMissing({ isatty: () => false }, 'tty', ['ReadStream', 'WriteStream']);
})
