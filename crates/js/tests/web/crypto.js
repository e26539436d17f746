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
test('timingSafeEqual', () => {
  equal(crypto.subtle.timingSafeEqual(new Uint8Array([1]), new Uint8Array([1])), true);
  equal(crypto.subtle.timingSafeEqual(new Uint8Array([1]), new Uint8Array([2])), false);
  throws(() => crypto.subtle.timingSafeEqual(new Uint8Array(1), new Uint8Array(2)), 'TypeError');
});

const { subtle } = crypto;
const unhex = (text) => new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
const utf8 = (text) => new TextEncoder().encode(text);
const unbase64 = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const AES_KEY = unhex('2b7e151628aed2a6abf7158809cf4f3c');

test('what cannot be asked for', async () => {
  const aes = await subtle.importKey('raw', AES_KEY, 'AES-GCM', false, ['encrypt']);
  throws(() => new CryptoKey(), 'TypeError', 'Illegal constructor');
  throws(() => new SubtleCrypto(), 'TypeError', 'Illegal constructor');
  for (const [name, text, work] of [
    ['NotSupportedError', 'MD5', () => subtle.importKey('raw', AES_KEY, { name: 'HMAC', hash: 'MD5' }, false, ['sign'])],
    ['NotSupportedError', 'DES', () => subtle.importKey('raw', AES_KEY, 'DES', true, ['encrypt'])],
    ['NotSupportedError', 'P-521', () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-521' }, true, ['sign'])],
    ['NotSupportedError', 'PBKDF2', () => subtle.generateKey('PBKDF2', true, ['deriveBits'])],
    ['NotSupportedError', 'spki', () => subtle.importKey('spki', AES_KEY, 'AES-GCM', true, ['encrypt'])],
    ['TypeError', 'name', () => subtle.generateKey({}, true, ['sign'])],
    ['TypeError', 'hash', () => subtle.importKey('raw', AES_KEY, 'HMAC', true, ['sign'])],
    ['TypeError', 'usage', () => subtle.importKey('raw', AES_KEY, 'AES-GCM', true, ['fly'])],
    ['TypeError', 'ArrayBuffer', () => subtle.importKey('raw', 'text', 'AES-GCM', true, ['encrypt'])],
    ['TypeError', 'JWK', () => subtle.importKey('jwk', AES_KEY, 'AES-GCM', true, ['encrypt'])],
    ['TypeError', 'CryptoKey', () => subtle.encrypt({ name: 'AES-GCM', iv: AES_KEY }, {}, AES_KEY)],
    ['TypeError', 'iv', () => subtle.encrypt('AES-GCM', aes, AES_KEY)],
    ['SyntaxError', 'usages', () => subtle.importKey('raw', AES_KEY, 'AES-GCM', true, [])],
    ['SyntaxError', 'sign', () => subtle.importKey('raw', AES_KEY, 'AES-GCM', true, ['sign'])],
    ['SyntaxError', 'extractable', () => subtle.importKey('raw', AES_KEY, 'HKDF', true, ['deriveBits'])],
    ['SyntaxError', 'no usages', () => subtle.generateKey('Ed25519', true, ['verify'])],
    ['DataError', '24', () => subtle.importKey('raw', new Uint8Array(3), 'AES-CBC', true, ['encrypt'])],
    ['DataError', 'kty', () => subtle.importKey('jwk', { kty: 'EC' }, 'AES-GCM', true, ['encrypt'])],
    ['DataError', 'member k', () => subtle.importKey('jwk', { kty: 'oct', k: '!' }, 'AES-GCM', true, ['encrypt'])],
    ['DataError', 'A128CBC', () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', alg: 'A128CBC' }, 'AES-GCM', true, ['encrypt'])],
    ['DataError', 'public key', () => subtle.importKey('raw', new Uint8Array(65), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])],
    ['DataError', '', () => subtle.importKey('pkcs8', new Uint8Array(65), { name: 'RSA-PSS', hash: 'SHA-1' }, true, ['sign'])],
    ['DataError', '', () => subtle.importKey('spki', new Uint8Array(9), 'Ed25519', true, ['verify'])],
    ['InvalidAccessError', 'AES-CBC', () => subtle.encrypt({ name: 'AES-CBC', iv: AES_KEY }, aes, AES_KEY)],
    ['InvalidAccessError', 'decrypt', () => subtle.decrypt({ name: 'AES-GCM', iv: AES_KEY }, aes, AES_KEY)],
    ['InvalidAccessError', 'extractable', () => subtle.exportKey('raw', aes)],
    ['OperationError', 'tag', () => subtle.encrypt({ name: 'AES-GCM', iv: AES_KEY, tagLength: 100 }, aes, AES_KEY)],
    ['OperationError', 'AES key', () => subtle.generateKey({ name: 'AES-GCM', length: 100 }, true, ['encrypt'])],
    ['OperationError', 'modulusLength', () => subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 16384, publicExponent: new Uint8Array([1, 0, 1]) }, true, ['sign'])],
    ['OperationError', 'publicExponent', () => subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([4]) }, true, ['sign'])],
  ]) await rejects(work(), name, text);
});

test('HMAC', async () => {
  const algorithm = { name: 'hmac', hash: 'sha-256' };
  const key = await subtle.importKey('raw', new Uint8Array(20).fill(11), algorithm, true, ['verify', 'sign', 'sign']);
  equal([key.type, key.extractable, key.algorithm, key.usages, `${key}`], ['secret', true, { name: 'HMAC', hash: { name: 'SHA-256' }, length: 160 }, ['sign', 'verify'], '[object CryptoKey]']);
  const mac = await subtle.sign('HMAC', key, utf8('Hi There'));
  equal(hex(mac), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
  equal([await subtle.verify('HMAC', key, mac, utf8('Hi There')), await subtle.verify('HMAC', key, mac, utf8('Hi there')), await subtle.verify('HMAC', key, mac.slice(1), utf8('Hi There'))], [true, false, false]);
  equal(await subtle.exportKey('jwk', key), { key_ops: ['sign', 'verify'], ext: true, alg: 'HS256', kty: 'oct', k: 'CwsLCwsLCwsLCwsLCwsLCwsLCws' });
  const made = await subtle.generateKey(algorithm, true, ['sign']);
  equal((await subtle.exportKey('raw', made)).byteLength, 64);
  const again = await subtle.importKey('jwk', await subtle.exportKey('jwk', made), algorithm, false, ['sign']);
  equal(hex(await subtle.sign('HMAC', again, AES_KEY)), hex(await subtle.sign('HMAC', made, AES_KEY)));
});

test('AES, by the vectors of its standards', async () => {
  const of = (name, key = AES_KEY) => subtle.importKey('raw', key, name, true, name === 'AES-KW' ? ['wrapKey', 'unwrapKey'] : ['encrypt', 'decrypt']);
  const plain = unhex('6bc1bee22e409f96e93d7e117393172a');
  const cbc = { name: 'AES-CBC', iv: unhex('000102030405060708090a0b0c0d0e0f') };
  const sealed = await subtle.encrypt(cbc, await of('AES-CBC'), plain);
  equal([hex(sealed).slice(0, 32), sealed.byteLength], ['7649abac8119b246cee98e9b12e9197d', 32]);
  equal(hex(await subtle.decrypt(cbc, await of('AES-CBC'), sealed)), hex(plain));
  await rejects(subtle.decrypt(cbc, await of('AES-CBC'), sealed.slice(1)), 'OperationError');
  await rejects(subtle.decrypt(cbc, await of('AES-CBC'), new Uint8Array(0)), 'OperationError');

  const ctr = { name: 'AES-CTR', counter: unhex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 64 };
  equal(hex(await subtle.encrypt(ctr, await of('AES-CTR'), plain)), '874d6191b620e3261bef6864990db6ce');
  await rejects(subtle.encrypt({ ...ctr, length: 1 }, await of('AES-CTR'), new Uint8Array(48)), 'OperationError');
  await rejects(subtle.encrypt({ ...ctr, length: 129 }, await of('AES-CTR'), plain), 'OperationError');

  const zeros = await of('AES-GCM', new Uint8Array(16));
  const iv = new Uint8Array(12);
  equal(hex(await subtle.encrypt({ name: 'AES-GCM', iv }, zeros, new Uint8Array(0))), '58e2fccefa7e3061367f1d57a4e7455a');
  equal(hex(await subtle.encrypt({ name: 'AES-GCM', iv }, zeros, new Uint8Array(16))), '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf');
  const gcm = await of('AES-GCM', unhex('feffe9928665731c6d6a8f9467308308'));
  const long = unhex('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39');
  const params = { name: 'AES-GCM', iv: unhex('cafebabefacedbad'), additionalData: unhex('feedfacedeadbeeffeedfacedeadbeefabaddad2') };
  const box = await subtle.encrypt(params, gcm, long);
  equal(hex(box), '61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f45983612d2e79e3b0785561be14aaca2fccb');
  equal(hex(await subtle.decrypt(params, gcm, box)), hex(long));
  const short = await subtle.encrypt({ ...params, tagLength: 96 }, gcm, long);
  equal([short.byteLength, hex(await subtle.decrypt({ ...params, tagLength: 96 }, gcm, short))], [long.length + 12, hex(long)]);
  for (const changed of [{ additionalData: AES_KEY }, { iv }, { tagLength: 96 }]) await rejects(subtle.decrypt({ ...params, ...changed }, gcm, box), 'OperationError');
  await rejects(subtle.decrypt(params, gcm, new Uint8Array(3)), 'OperationError');

  const kek = await of('AES-KW', unhex('000102030405060708090a0b0c0d0e0f'));
  const secret = await of('AES-CBC', unhex('00112233445566778899aabbccddeeff'));
  const wrapped = await subtle.wrapKey('raw', secret, kek, 'AES-KW');
  equal(hex(wrapped), '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5');
  const back = await subtle.unwrapKey('raw', wrapped, kek, 'AES-KW', 'AES-CBC', true, ['encrypt']);
  equal(hex(await subtle.exportKey('raw', back)), '00112233445566778899aabbccddeeff');
  await rejects(subtle.unwrapKey('raw', wrapped.slice(8), kek, 'AES-KW', 'AES-CBC', true, ['encrypt']), 'OperationError');
  for (const length of [128, 192, 256]) {
    const key = await subtle.generateKey({ name: 'AES-GCM', length }, true, ['encrypt', 'decrypt']);
    equal([key.algorithm, hex(await subtle.decrypt({ name: 'AES-GCM', iv }, key, await subtle.encrypt({ name: 'AES-GCM', iv }, key, long)))], [{ name: 'AES-GCM', length }, hex(long)]);
    equal((await subtle.exportKey('jwk', key)).alg, `A${length}GCM`);
  }
});

test('keys are wrapped in every format', async () => {
  const wrapper = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey']);
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) };
  const { privateKey } = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  for (const format of ['jwk', 'pkcs8']) {
    const wrapped = await subtle.wrapKey(format, privateKey, wrapper, algorithm);
    const back = await subtle.unwrapKey(format, wrapped, wrapper, algorithm, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    equal((await subtle.exportKey('jwk', back)).d, (await subtle.exportKey('jwk', privateKey)).d);
    await rejects(subtle.unwrapKey(format, wrapped, wrapper, { ...algorithm, iv: new Uint8Array(13) }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']), 'OperationError');
  }
  const locked = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, false, ['encrypt']);
  await rejects(subtle.wrapKey('raw', locked, wrapper, algorithm), 'InvalidAccessError', 'not extractable');
});

test('PBKDF2 and HKDF', async () => {
  const password = await subtle.importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveBits', 'deriveKey']);
  const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 4096 };
  equal(hex(await subtle.deriveBits({ ...pbkdf2, iterations: 1 }, password, 160)), '0c60c80f961f0e71f3a9b524af6012062fe037a6');
  equal(hex(await subtle.deriveBits(pbkdf2, password, 160)), '4b007901b765489abead49d926f721d065a429c1');
  await rejects(subtle.deriveBits({ ...pbkdf2, iterations: 0 }, password, 160), 'OperationError');
  await rejects(subtle.deriveBits({ ...pbkdf2, iterations: 1e9 }, password, 160), 'OperationError', '10000000');
  await rejects(subtle.deriveBits(pbkdf2, password), 'OperationError');
  await rejects(subtle.deriveBits(pbkdf2, password, 9), 'OperationError');
  const aes = await subtle.deriveKey(pbkdf2, password, { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
  equal((await subtle.exportKey('raw', aes)).byteLength, 32);
  const secret = await subtle.importKey('raw', new Uint8Array(22).fill(11), 'HKDF', false, ['deriveBits']);
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: unhex('000102030405060708090a0b0c'), info: unhex('f0f1f2f3f4f5f6f7f8f9') };
  equal(hex(await subtle.deriveBits(hkdf, secret, 336)), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  await rejects(subtle.deriveBits(hkdf, secret, 8 * 255 * 33), 'OperationError');
  await rejects(subtle.deriveKey(hkdf, secret, { name: 'AES-GCM', length: 256 }, true, ['encrypt']), 'InvalidAccessError');
});

const JOSE = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
test('ECDSA and ECDH', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const jwk = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' };
  const d = 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI';
  const open = await subtle.importKey('jwk', jwk, algorithm, true, ['verify']);
  const input = utf8(`eyJhbGciOiJFUzI1NiJ9.${JOSE}`);
  const signature = unbase64('DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q');
  const sha256 = { name: 'ECDSA', hash: 'SHA-256' };
  equal(await subtle.verify(sha256, open, signature, input), true);
  equal([await subtle.verify(sha256, open, signature, AES_KEY), await subtle.verify(sha256, open, AES_KEY, input)], [false, false]);
  const own = await subtle.importKey('jwk', { ...jwk, d }, algorithm, true, ['sign']);
  equal(await subtle.verify(sha256, open, await subtle.sign(sha256, own, input), input), true);
  await rejects(subtle.importKey('jwk', { ...jwk, d: jwk.x }, algorithm, true, ['sign']), 'DataError', 'belong together');
  await rejects(subtle.importKey('jwk', { ...jwk, y: jwk.x }, algorithm, true, ['verify']), 'DataError');
  await rejects(subtle.verify(sha256, own, signature, input), 'InvalidAccessError');

  for (const namedCurve of ['P-256', 'P-384']) {
    const { privateKey, publicKey } = await subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
    equal([privateKey.usages, publicKey.usages, publicKey.algorithm], [['sign'], ['verify'], { name: 'ECDSA', namedCurve }]);
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
      const made = await subtle.sign({ name: 'ECDSA', hash }, privateKey, input);
      equal([await subtle.verify({ name: 'ECDSA', hash }, publicKey, made, input), await subtle.verify({ name: 'ECDSA', hash }, publicKey, made, AES_KEY)], [true, false], `${namedCurve} ${hash}`);
    }
    for (const format of ['raw', 'spki', 'jwk']) {
      const exported = await subtle.exportKey(format, publicKey);
      const again = await subtle.importKey(format, exported, { name: 'ECDSA', namedCurve }, true, ['verify']);
      equal(hex(await subtle.exportKey('raw', again)), hex(await subtle.exportKey('raw', publicKey)));
    }
    const pkcs8 = await subtle.exportKey('pkcs8', privateKey);
    equal(hex(await subtle.exportKey('pkcs8', await subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve }, true, ['sign']))), hex(pkcs8));
    await rejects(subtle.exportKey('spki', privateKey), 'InvalidAccessError');

    const [one, two] = [await subtle.generateKey({ name: 'ECDH', namedCurve }, false, ['deriveBits', 'deriveKey']), await subtle.generateKey({ name: 'ECDH', namedCurve }, false, ['deriveBits'])];
    const bits = (mine, theirs, length) => subtle.deriveBits({ name: 'ECDH', public: theirs.publicKey }, mine.privateKey, length);
    equal(hex(await bits(one, two, 128)), hex(await bits(two, one)).slice(0, 32));
    await rejects(bits(one, two, 1024), 'OperationError');
    const key = await subtle.deriveKey({ name: 'ECDH', public: two.publicKey }, one.privateKey, { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
    equal(key.algorithm.length, 256);
    await rejects(subtle.deriveBits({ name: 'ECDH', public: two.privateKey }, one.privateKey, 128), 'InvalidAccessError');
  }
});

test('Ed25519 and X25519', async () => {
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
  const point = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
  const pkcs8 = unhex(`302e020100300506032b657004220420${seed}`);
  const own = await subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  equal(hex(await subtle.exportKey('pkcs8', own)), hex(pkcs8));
  equal((await subtle.exportKey('jwk', own)).x, '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
  const signature = await subtle.sign('Ed25519', own, new Uint8Array(0));
  equal(hex(signature), 'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b');
  const open = await subtle.importKey('raw', unhex(point), { name: 'ed25519' }, true, ['verify']);
  equal([await subtle.verify('Ed25519', open, signature, new Uint8Array(0)), await subtle.verify('Ed25519', open, signature, new Uint8Array(1)), await subtle.verify('Ed25519', open, new Uint8Array(3), new Uint8Array(0))], [true, false, false]);
  equal(hex(await subtle.exportKey('spki', open)), `302a300506032b6570032100${point}`);
  await rejects(subtle.importKey('pkcs8', pkcs8, 'X25519', true, ['deriveBits']), 'DataError');
  const [one, two] = [await subtle.generateKey('X25519', true, ['deriveBits']), await subtle.generateKey('X25519', true, ['deriveBits'])];
  equal(hex(await subtle.deriveBits({ name: 'X25519', public: two.publicKey }, one.privateKey, 256)), hex(await subtle.deriveBits({ name: 'X25519', public: one.publicKey }, two.privateKey)));
  const zero = await subtle.importKey('raw', new Uint8Array(32), 'X25519', true, []);
  await rejects(subtle.deriveBits({ name: 'X25519', public: zero }, one.privateKey, 256), 'OperationError');
  const again = await subtle.importKey('jwk', await subtle.exportKey('jwk', one.privateKey), 'X25519', true, ['deriveBits']);
  equal(hex(await subtle.exportKey('pkcs8', again)), hex(await subtle.exportKey('pkcs8', one.privateKey)));
});

test('RSA', async () => {
  const jwk = { kty: 'RSA', alg: 'RS256', e: 'AQAB', n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ' };
  const signature = unbase64('cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw');
  const pkcs1 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const known = await subtle.importKey('jwk', jwk, pkcs1, true, ['verify']);
  equal(known.algorithm, { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: { name: 'SHA-256' } });
  equal(await subtle.verify(pkcs1, known, signature, utf8(`eyJhbGciOiJSUzI1NiJ9.${JOSE}`)), true);
  equal(await subtle.verify(pkcs1, known, signature, utf8('x')), false);
  await rejects(subtle.importKey('jwk', { ...jwk, alg: 'PS256' }, pkcs1, true, ['verify']), 'DataError', 'PS256');
  await rejects(subtle.importKey('jwk', { ...jwk, n: undefined }, pkcs1, true, ['verify']), 'DataError', 'member n');

  const shape = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
  const pair = await subtle.generateKey({ name: 'RSA-PSS', ...shape }, true, ['sign', 'verify']);
  const data = utf8('data');
  for (const saltLength of [0, 32]) {
    const made = await subtle.sign({ name: 'RSA-PSS', saltLength }, pair.privateKey, data);
    equal([made.byteLength, await subtle.verify({ name: 'RSA-PSS', saltLength }, pair.publicKey, made, data), await subtle.verify({ name: 'RSA-PSS', saltLength }, pair.publicKey, made, AES_KEY)], [128, true, false]);
  }
  await rejects(subtle.sign({ name: 'RSA-PSS', saltLength: 500 }, pair.privateKey, data), 'OperationError');
  for (const format of ['jwk', 'pkcs8']) {
    const exported = await subtle.exportKey(format, pair.privateKey);
    const again = await subtle.importKey(format, format === 'jwk' ? { ...exported, alg: undefined, key_ops: undefined } : exported, pkcs1, true, ['sign']);
    const made = await subtle.sign(pkcs1, again, data);
    const open = await subtle.importKey('spki', await subtle.exportKey('spki', pair.publicKey), pkcs1, true, ['verify']);
    equal([again.algorithm.modulusLength, await subtle.verify(pkcs1, open, made, data)], [1024, true]);
  }
  const oaep = await subtle.generateKey({ name: 'RSA-OAEP', ...shape }, true, ['encrypt', 'decrypt']);
  const label = { name: 'RSA-OAEP', label: utf8('label') };
  const sealed = await subtle.encrypt(label, oaep.publicKey, data);
  equal(hex(await subtle.decrypt(label, oaep.privateKey, sealed)), hex(data));
  await rejects(subtle.decrypt('RSA-OAEP', oaep.privateKey, sealed), 'OperationError');
  await rejects(subtle.encrypt(label, oaep.publicKey, new Uint8Array(100)), 'OperationError');
  equal((await subtle.exportKey('jwk', oaep.publicKey)).alg, 'RSA-OAEP-256');
});

test('long computations let others run', async () => {
  let ticks = 0;
  let done = false;
  const ticking = (async () => { while (!done) { await sleep(1); ticks++ } })();
  await Promise.all([
    subtle.generateKey({ name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['sign']),
    subtle.importKey('raw', AES_KEY, 'PBKDF2', false, ['deriveBits']).then((key) => subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: AES_KEY, iterations: 50000 }, key, 512)),
    subtle.digest('SHA-256', new Uint8Array(4 << 20)),
  ]);
  done = true;
  await ticking;
  ok(ticks > 5, `${ticks} ticks`);
});
