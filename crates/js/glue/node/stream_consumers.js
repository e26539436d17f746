// stream/consumers: a whole stream at once, of either kind.
(function (native) {
  'use strict';
  const { Buffer } = native.use('buffer');
  const buffer = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return Buffer.concat(chunks.map((chunk) => chunk instanceof Uint8Array ? chunk : Buffer.from(chunk)));
  };
  const text = async (stream) => new (native.web('TextDecoder'))().decode(await buffer(stream));
  return {
    buffer, text,
    arrayBuffer: async (stream) => {
      const bytes = await buffer(stream);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    },
    blob: async (stream) => new (native.web('Blob'))([await buffer(stream)]),
    json: async (stream) => JSON.parse(await text(stream)),
  };
})
