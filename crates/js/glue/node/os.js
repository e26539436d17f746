// os: what does not depend on the machine. An object is not told which one it is on.
(function (native) {
  'use strict';
  const { withMissing } = native.use('internal/errors');
  const os = {
    EOL: '\n', devNull: '/dev/null',
    arch: () => 'x64', endianness: () => 'LE', homedir: () => '/', hostname: () => 'localhost', machine: () => 'x86_64', platform: () => 'linux',
    release: () => '', tmpdir: () => '/tmp', type: () => 'Linux', version: () => '',
    constants: Object.freeze({ signals: Object.freeze({}), errno: Object.freeze({}) }),
  };
  return withMissing(os, 'os', ['availableParallelism', 'cpus', 'freemem', 'getPriority', 'loadavg', 'networkInterfaces', 'setPriority', 'totalmem',
    'uptime', 'userInfo']);
})
