const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
test('randomUUID', () => {
  const seen = new Set();
  for (let i = 0; i < 50; i++) seen.add(crypto.randomUUID());
  equal(seen.size, 50);
  for (const id of seen) ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id);
});
test('getRandomValues fills in place', () => {
  const view = new Uint32Array(16);
  ok(crypto.getRandomValues(view) === view);
  ok(view.some((value) => value !== 0));
  const bytes = new Uint8Array(40);
  crypto.getRandomValues(bytes.subarray(10, 30));
  ok(bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.subarray(30).every((byte) => byte === 0));
  ok(bytes.subarray(10, 30).some((byte) => byte !== 0));
  crypto.getRandomValues(new BigInt64Array(1));
  equal(throws(() => crypto.getRandomValues(new Uint8Array(65537)), 'QuotaExceededError', '65536').code, 22);
  throws(() => crypto.getRandomValues(new Float64Array(1)), 'TypeMismatchError');
  throws(() => crypto.getRandomValues([]), 'TypeMismatchError');
});
test('digest', async () => {
  const data = new TextEncoder().encode('abc');
  equal(hex(await crypto.subtle.digest('SHA-1', data)), 'a9993e364706816aba3e25717850c26c9cd0d89d');
  equal(hex(await crypto.subtle.digest({ name: 'sha-256' }, data.buffer)), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  equal(hex(await crypto.subtle.digest('SHA-384', data)).slice(0, 16), 'cb00753f45a35e8b');
  equal(hex(await crypto.subtle.digest('SHA-512', data)).slice(0, 16), 'ddaf35a193617aba');
  await rejects(crypto.subtle.digest('MD4', data), 'NotSupportedError');
  await rejects(crypto.subtle.digest('SHA-1', 'text'), 'TypeError');
});
test('what is not there says so', async () => {
  for (const name of ['sign', 'encrypt', 'importKey', 'generateKey', 'deriveBits']) {
    const error = await rejects(crypto.subtle[name](), 'NotSupportedError', `crypto.subtle.${name} is not supported yet: see docs/reference/web-apis.md`);
    ok(error instanceof DOMException);
  }
  equal(crypto.subtle.timingSafeEqual(new Uint8Array([1]), new Uint8Array([1])), true);
  equal(crypto.subtle.timingSafeEqual(new Uint8Array([1]), new Uint8Array([2])), false);
});
