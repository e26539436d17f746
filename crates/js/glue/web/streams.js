// What LLRT's streams lack: https://streams.spec.whatwg.org/
(function (native) {
  'use strict';
  const { ReadableStream } = native;
  return native;
})
