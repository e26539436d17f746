// Node 20's own output.
const crypto = node('crypto');
const { Buffer } = node('buffer');
const { inspect } = node('util');
const SHOWN = [
  [() => (crypto.createHash('sha256').update('abc').digest('hex')), "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'"],
  [() => (crypto.createHash('md5').update('abc').digest('base64')), "'kAFQmDzST7DWlj99KOF/cg=='"],
  [() => (crypto.createHash('SHA1').update('a').update(Buffer.from('bc')).digest('hex')), "'a9993e364706816aba3e25717850c26c9cd0d89d'"],
  [() => (crypto.createHash('sha512').update('é', 'latin1').digest('base64url')), "'sWRxbSE93sDi2_jyx8wW1nOxTHpc5Ggm4QrTar6X_euaNLs3naSe3ymkb00rd4g8l3hrY9VDkk2tOHPEOpGhrw'"],
  [() => (crypto.createHash('sha384').digest('hex')), "'38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b'"],
  [() => (crypto.createHash('sha224').update('').digest('hex')), "'d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f'"],
  [() => (crypto.createHash('sha512-256').update('abc').digest('hex')), "'53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23'"],
  [() => (crypto.createHash('RSA-SHA256').update('abc').digest('hex')), "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'"],
  [() => (crypto.createHash('sha256').update('61', 'hex').digest('hex')), "'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'"],
  [() => (crypto.createHash('sha256').update(new Uint16Array([1,2])).digest('hex')), "'7b11c1133330cd161071bf23a0c9b6ce5320a8f3a0f83620035a72be46df4104'"],
  [() => (crypto.createHash('sha256').update('x').digest()), "<Buffer 2d 71 16 42 b7 26 b0 44 01 62 7c a9 fb ac 32 f5 c8 53 0f b1 90 3c c4 db 02 25 87 17 92 1a 48 81>"],
  [() => (crypto.createHash('sha256').update('x').digest('buffer').length), "32"],
  [() => (crypto.createHash('sha256').update(5)), "TypeError: The \"data\" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received type number (5)"],
  [() => (crypto.createHash(5)), "TypeError: The \"algorithm\" argument must be of type string. Received type number (5)"],
  [() => ((()=>{const h=crypto.createHash('sha256').update('a'); h.digest(); return h.update('b')})()), "Error: Digest already called"],
  [() => ((()=>{const h=crypto.createHash('sha256').update('a'); h.digest(); return h.digest()})()), "Error: Digest already called"],
  [() => ((()=>{const h=crypto.createHash('sha256').update('a'); const c=h.copy(); return [h.update('b').digest('hex'), c.digest('hex')]})()), "[\n  'fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603',\n  'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'\n]"],
  [() => (crypto.createHmac('sha256', 'key').update('data').digest('hex')), "'5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0'"],
  [() => (crypto.createHmac('sha512', Buffer.alloc(200, 'k')).update('data').digest('hex')), "'854e242c54ce5f31621a1f809881b3439c0a77fd594dc546b9b3a957cf6f7b5475a1302be9fde1ece18531982eaa2141907c8b2fbd8bec2e5b19b8312ace3f2b'"],
  [() => (crypto.createHmac('md5', '').update('').digest('hex')), "'74e6f7298a9c2d168935f58c001bad88'"],
  [() => (crypto.createHmac('sha1', new Uint8Array(64)).update('x').digest('base64')), "'YkTmZFGhyGlduXMc4sT9XeJcz4c='"],
  [() => (crypto.createHmac('sha256', crypto.createSecretKey(Buffer.from('key'))).update('data').digest('hex')), "'5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0'"],
  [() => (crypto.createHmac('nope', 'key')), "TypeError: Invalid digest: nope"],
  [() => (crypto.pbkdf2Sync('password', 'salt', 1, 20, 'sha1').toString('hex')), "'0c60c80f961f0e71f3a9b524af6012062fe037a6'"],
  [() => (crypto.pbkdf2Sync('password', 'salt', 4096, 20, 'sha1').toString('hex')), "'4b007901b765489abead49d926f721d065a429c1'"],
  [() => (crypto.pbkdf2Sync('passwordPASSWORDpassword', 'saltSALTsaltSALTsaltSALTsaltSALTsalt', 1000, 80, 'sha512').toString('hex')), "'0e28f3efa802a2f0cd3b4ace5e3d9afadb7c2dccc5ef10eedb8a6564dfb0c9a63b6f46b1e150587b9fe7875cfaf999d00b454bb7d74295c60df1bbe5f8f36da188271db22110efda5cc9eeafb0ab2969'"],
  [() => (crypto.pbkdf2Sync('p', 's', 1, 0, 'sha256')), "<Buffer >"],
  [() => (crypto.pbkdf2Sync('p', 's', 0, 10, 'sha256')), "RangeError: The value of \"iterations\" is out of range. It must be >= 1 && <= 2147483647. Received 0"],
  [() => (crypto.pbkdf2Sync('p', 's', 1, 10, 'nope')), "TypeError: Invalid digest: nope"],
  [() => (crypto.pbkdf2Sync('p', 's', 1, 10)), "TypeError: The \"digest\" argument must be of type string. Received undefined"],
  [() => (crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a'))), "true"],
  [() => (crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b'))), "false"],
  [() => (crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab'))), "RangeError: Input buffers must have the same byte length"],
  [() => (crypto.randomBytes(8).length), "8"],
  [() => (crypto.randomBytes(-1)), "RangeError: The value of \"size\" is out of range. It must be >= 0 && <= 2147483647. Received -1"],
  [() => (crypto.randomBytes('5')), "TypeError: The \"size\" argument must be of type number. Received type string ('5')"],
  [() => (crypto.randomInt(5, 5)), "RangeError: The value of \"max\" is out of range. It must be greater than the value of \"min\" (5). Received 5"],
  [() => (crypto.createSecretKey('key', 'utf8').export().toString()), "'key'"],
  [() => (crypto.createSecretKey(Buffer.from('key')).export({format: 'jwk'})), "{ kty: 'oct', k: 'a2V5' }"],
  [() => (crypto.createSecretKey(Buffer.from('key')).type), "'secret'"],
  [() => (crypto.hkdfSync('nope', 'k', 's', 'i', 10)), "TypeError: Invalid digest: nope"],
  [() => (crypto.hkdfSync('sha256', 'k', 's', 'i', 255 * 32 + 1)), "RangeError: Invalid key length"],
  [() => (crypto.hkdfSync('sha256', 'k', 's', new Uint8Array(1025), 10)), "RangeError: The value of \"info\" is out of range. It must be must not contain more than 1024 bytes. Received 1025"],
  [() => (Buffer.from(crypto.hkdfSync('sha256', '', '', '', 8))), "<Buffer eb 70 f0 1d ed e9 af af>"],
  [() => (crypto.scryptSync('p', 's', 8, { cost: 2, blockSize: 2, parallelization: 3 })), "<Buffer dd 24 83 44 6a 1b 75 74>"],
  [() => (crypto.scryptSync('p', 's', 8, { N: 15 })), "RangeError: Invalid scrypt params"],
  [() => (crypto.scryptSync('p', 's', 8, { N: 1 })), "RangeError: Invalid scrypt params"],
  [() => (crypto.scryptSync('p', 's', 8, { N: 16, cost: 16 })), "Error: Invalid scrypt parameter"],
  [() => (crypto.scryptSync('p', 's', 8, { r: 'x' })), "TypeError: The \"r\" argument must be of type number. Received type string ('x')"],
  [() => (crypto.createCipheriv('nope', 'k', 'i')), "Error: Unknown cipher"],
  [() => (crypto.createCipheriv('aes-128-gcm', 'k', 'i')), "RangeError: Invalid key length"],
  [() => (crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(3))), "TypeError: Invalid initialization vector"],
  [() => (crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32), null)), "TypeError: Invalid initialization vector"],
  [() => (crypto.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)).final()), "Error: error:1C80006B:Provider routines::wrong final block length"],
  [() => ((()=>{const c=crypto.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); c.update(Buffer.alloc(16)); return c.final()})()), "Error: error:1C800064:Provider routines::bad decrypt"],
  [() => ((()=>{const c=crypto.createDecipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)); c.update('00', 'hex'); return c.final()})()), "Error: Unsupported state or unable to authenticate data"],
  [() => ((()=>{const c=crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); c.final(); return c.update('x')})()), "Error: Trying to add data in unsupported state"],
  [() => ((()=>{const c=crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); c.final(); return c.final()})()), "Error: Invalid state"],
  [() => ((()=>{const c=crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12), {authTagLength: 4}); c.final(); return c.getAuthTag()})()), "<Buffer 53 0f 8a fb>"],
  [() => (crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12), {authTagLength: 3})), "TypeError: Invalid authentication tag length: 3"],
  [() => (crypto.createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)).getAuthTag()), "Error: Invalid state for operation getAuthTag"],
  [() => (crypto.createDecipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)).setAuthTag(Buffer.alloc(3))), "TypeError: Invalid authentication tag length: 3"],
  [() => (crypto.createCipheriv('aes-256-cbc', Buffer.alloc(32), Buffer.alloc(16)).setAAD(Buffer.alloc(2))), "Error: Invalid state for operation setAAD"],
  [() => ((()=>{const c=crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); return c.update('hello', 'utf8', 'hex') + c.final('hex')})()), "'9834ed518cbc8fbe9af3c6ecb75eb8c0'"],
];
test('crypto gives what Node gives', () => {
  const wrong = [];
  for (const [make, expected] of SHOWN) {
    let shown;
    try { shown = inspect(make()) } catch (error) { shown = `${error.name}: ${error.message}` }
    if (shown !== expected) wrong.push(`${make}\n  expected ${expected}\n  got      ${shown}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});
test('random numbers', async () => {
  ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()));
  equal(Buffer.isBuffer(crypto.randomBytes(4)), true);
  equal((await new Promise((resolve, reject) => crypto.randomBytes(5, (error, bytes) => error ? reject(error) : resolve(bytes)))).length, 5);
  equal(crypto.randomBytes(70000).length, 70000);
  for (let i = 0; i < 100; i++) { const n = crypto.randomInt(3, 6); ok(n >= 3 && n < 6) }
  equal(crypto.randomInt(1), 0);
  ok((await new Promise((resolve) => crypto.randomInt(10, (error, n) => resolve(n)))) < 10);
  const bytes = crypto.randomFillSync(Buffer.alloc(40), 20);
  equal(bytes.subarray(0, 20).every((byte) => byte === 0), true);
  ok(bytes.subarray(20).some((byte) => byte !== 0));
  throws(() => crypto.randomFillSync(Buffer.alloc(4), 5), 'RangeError', 'offset');
  throws(() => crypto.randomInt(1.5), 'TypeError', 'max');
});
test('pbkdf2 by callback', async () => {
  const key = await node('util').promisify(crypto.pbkdf2)('password', 'salt', 2, 20, 'sha1');
  equal(key.toString('hex'), 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957');
  equal(key.equals(crypto.pbkdf2Sync('password', 'salt', 2, 20, 'sha1')), true);
});
test('what takes long lets other objects go on', () => {
  equal(ways(), 0);
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const made = ways();
  ok(made > 0, 'ways while a key is made');
  crypto.sign('sha256', Buffer.alloc(1 << 20), privateKey);
  ok(ways() > made, 'ways while a signature is made');
});
test('keys: the texts of Node', () => {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = crypto.generateKeyPairSync('ed25519').privateKey;
  throws(() => crypto.createPrivateKey('nope'), 'Error', 'error:1E08010C:DECODER routines::unsupported');
  throws(() => crypto.sign('nope', Buffer.from('x'), privateKey), 'TypeError', 'Invalid digest: nope');
  throws(() => crypto.sign('sha256', Buffer.from('x'), publicKey), 'TypeError', 'Invalid key object type public, expected private.');
  throws(() => crypto.sign('sha256', Buffer.from('x'), ed), 'Error', 'error:1C80007A:Provider routines::invalid digest');
  throws(() => crypto.sign('sha256', Buffer.from('x'), { key: privateKey, dsaEncoding: 'bad' }), 'TypeError', "The property 'options.dsaEncoding' is invalid. Received 'bad'");
  throws(() => crypto.createSign('nope'), 'TypeError', 'Invalid digest');
  throws(() => crypto.createSign('sha256').update('x').sign(undefined), 'Error', 'No key provided to sign');
  throws(() => publicKey.export({ format: 'pem' }), 'TypeError', "The property 'options.type' is invalid. Received undefined");
  throws(() => publicKey.export(), 'TypeError', 'The "options" argument must be of type object. Received undefined');
  throws(() => crypto.generateKeyPairSync('nope'), 'TypeError', "The argument 'type' must be a supported key type. Received 'nope'");
  throws(() => crypto.generateKeyPairSync('ec', { namedCurve: 'nope' }), 'TypeError', 'Invalid EC curve name');
  throws(() => crypto.generateKeyPairSync('ec', {}), 'TypeError', 'The "options.namedCurve" property must be of type string. Received undefined');
  throws(() => crypto.createPublicKey(publicKey), 'TypeError', 'Invalid key object type public, expected private.');
  throws(() => crypto.createHmac('sha256', privateKey), 'TypeError', 'Invalid key object type private, expected secret.');
  throws(() => crypto.createSign('sha256').write('x'), 'Error', 'node:crypto Sign.write is not implemented in Dolmen');
});
test('hashes are streams', async () => {
  const { Readable } = node('stream');
  const { pipeline } = node('stream/promises');
  const hash = crypto.createHash('sha256');
  await pipeline(Readable.from(['a', 'bc']), hash);
  equal(hash.read().toString('hex'), crypto.createHash('sha256').update('abc').digest('hex'));
});
test('what is missing, what is there', () => {
  throws(() => crypto.createHash('nope'), 'Error', 'Digest method not supported: nope');
  throws(() => crypto.timingSafeEqual('a', Buffer.from('a')), 'TypeError', 'buf1');
  equal(throws(() => crypto.createECDH(), 'Error', 'node:crypto createECDH is not implemented in Dolmen').code, 'ERR_METHOD_NOT_IMPLEMENTED');
  ok(crypto.getHashes().includes('sha256'));
  equal(crypto.hash('md5', 'abc'), '900150983cd24fb0d6963f7d28e17f72');
  equal(crypto.webcrypto === globalThis.crypto, true);
  equal(crypto.subtle === globalThis.crypto.subtle, true);
});
