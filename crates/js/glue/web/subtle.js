// crypto.subtle: https://w3c.github.io/webcrypto/#subtlecrypto-interface
// Checks what is asked for and what a key may do; Rust computes. A key's bytes are as subtle.rs has them.
(function (native) {
  'use strict';
  const ours = Symbol();
  const ALL_USAGES = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
  const BLOCK_BITS = { 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 };
  const CURVE_BITS = { 'P-256': 256, 'P-384': 384, X25519: 256 };
  const GCM_TAGS = [32, 64, 96, 104, 112, 120, 128];

  // By algorithm: its kind, and what its secret, private and public keys may be used for.
  const CIPHER = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];
  const ALGORITHMS = {
    HMAC: { kind: 'hmac', secret: ['sign', 'verify'] },
    'AES-CBC': { kind: 'aes', secret: CIPHER },
    'AES-CTR': { kind: 'aes', secret: CIPHER },
    'AES-GCM': { kind: 'aes', secret: CIPHER },
    'AES-KW': { kind: 'aes', secret: ['wrapKey', 'unwrapKey'] },
    PBKDF2: { kind: 'kdf', secret: ['deriveKey', 'deriveBits'] },
    HKDF: { kind: 'kdf', secret: ['deriveKey', 'deriveBits'] },
    ECDSA: { kind: 'ec', private: ['sign'], public: ['verify'] },
    ECDH: { kind: 'ec', private: ['deriveKey', 'deriveBits'], public: [] },
    Ed25519: { kind: 'okp', private: ['sign'], public: ['verify'] },
    X25519: { kind: 'okp', private: ['deriveKey', 'deriveBits'], public: [] },
    'RSASSA-PKCS1-v1_5': { kind: 'rsa', private: ['sign'], public: ['verify'], jwk: 'RS' },
    'RSA-PSS': { kind: 'rsa', private: ['sign'], public: ['verify'], jwk: 'PS' },
    'RSA-OAEP': { kind: 'rsa', private: ['decrypt', 'unwrapKey'], public: ['encrypt', 'wrapKey'], jwk: 'RSA-OAEP' },
  };
  const BY_UPPER = Object.fromEntries(Object.keys(ALGORITHMS).map((name) => [name.toUpperCase(), name]));

  // What may be done with which.
  const OPERATIONS = {
    encrypt: ['AES-CBC', 'AES-CTR', 'AES-GCM', 'RSA-OAEP'],
    sign: ['HMAC', 'ECDSA', 'Ed25519', 'RSASSA-PKCS1-v1_5', 'RSA-PSS'],
    derive: ['PBKDF2', 'HKDF', 'ECDH', 'X25519'],
    wrap: ['AES-KW', 'AES-CBC', 'AES-CTR', 'AES-GCM', 'RSA-OAEP'],
    generate: Object.keys(ALGORITHMS).filter((name) => ALGORITHMS[name].kind !== 'kdf'),
    import: Object.keys(ALGORITHMS),
  };

  const fail = (name, message) => { throw new DOMException(message, name); };
  const failType = (message) => { throw new TypeError(message); };

  const hashOf = (hash) => {
    if (hash === undefined || hash === null) failType('The algorithm has no member hash.');
    const name = `${typeof hash === 'object' ? hash.name : hash}`.toUpperCase();
    return BLOCK_BITS[name] === undefined ? fail('NotSupportedError', `Unrecognized or unimplemented digest algorithm requested: ${name}`) : name;
  };
  const bytes = (value, name) => {
    if (value === undefined || value === null) failType(`The algorithm has no member ${name}.`);
    return native.bytesOf(value);
  };
  const optionalBytes = (value) => (value === undefined || value === null ? undefined : native.bytesOf(value));
  const count = (value, name, most = 0xFFFFFFFF) => {
    const number = Number(value);
    if (!(number >= 0 && number <= most)) failType(`${name} is no whole number from 0 to ${most}.`);
    return Math.trunc(number);
  };

  // An algorithm with its name as the standard writes it.
  const normalize = (algorithm, operation) => {
    const given = typeof algorithm === 'object' && algorithm !== null ? algorithm : { name: algorithm };
    if (given.name === undefined) failType('The algorithm has no member name.');
    const name = BY_UPPER[`${given.name}`.toUpperCase()];
    if (name === undefined || !OPERATIONS[operation].includes(name)) {
      fail('NotSupportedError', `${given.name} is not supported for this operation: see docs/reference/web-apis.md`);
    }
    return [name, given];
  };

  // ---- keys --------------------------------------------------------------------------------------

  let contentOf;
  class CryptoKey {
    #type; #extractable; #algorithm; #usages; #bytes;
    constructor(token, type, extractable, algorithm, usages, bytes) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#type = type;
      this.#extractable = extractable;
      this.#algorithm = algorithm;
      this.#usages = usages;
      this.#bytes = bytes;
    }
    get type() { return this.#type; }
    get extractable() { return this.#extractable; }
    get algorithm() { return this.#algorithm; }
    get usages() { return this.#usages; }
    static {
      contentOf = (key) => {
        if (typeof key !== 'object' || key === null || !(#bytes in key)) throw new TypeError('The key is not of type CryptoKey.');
        return { type: key.#type, algorithm: key.#algorithm, usages: key.#usages, extractable: key.#extractable, bytes: key.#bytes };
      };
    }
  }

  const usagesOf = (usages) => {
    const list = [...usages];
    for (const usage of list) if (!ALL_USAGES.includes(usage)) failType(`${usage} is not a usage of keys.`);
    return ALL_USAGES.filter((usage) => list.includes(usage));
  };
  const makeKey = (type, algorithm, extractable, usages, bytes) => {
    const allowed = ALGORITHMS[algorithm.name][type];
    const wrong = usages.find((usage) => !allowed.includes(usage));
    if (wrong !== undefined) fail('SyntaxError', `A ${type} key of ${algorithm.name} cannot be used to ${wrong}.`);
    if (type !== 'public' && usages.length === 0) fail('SyntaxError', `A ${type} key without usages is of no use.`);
    return new CryptoKey(ours, type, type === 'public' || !!extractable, algorithm, usages, bytes);
  };

  // The content of a key that may be used like this.
  const keyFor = (key, name, usage) => {
    const content = contentOf(key);
    if (content.algorithm.name !== name) fail('InvalidAccessError', `The key is of ${content.algorithm.name}, not of ${name}.`);
    if (!content.usages.includes(usage)) fail('InvalidAccessError', `The key's usages do not permit ${usage}.`);
    return content;
  };

  // What Rust is told of a key's algorithm.
  const paramsOf = ({ type, algorithm }) => ({ name: algorithm.name, type, namedCurve: algorithm.namedCurve, hash: algorithm.hash?.name });

  // ---- algorithms with their parameters ----------------------------------------------------------

  const cipherParams = (name, given, content) => {
    const params = paramsOf(content);
    if (name === 'RSA-OAEP') params.iv = optionalBytes(given.label);
    if (name === 'AES-CBC' || name === 'AES-GCM') params.iv = bytes(given.iv, 'iv');
    if (name === 'AES-CBC' && params.iv.length !== 16) fail('OperationError', 'The iv of AES-CBC has 16 bytes.');
    if (name === 'AES-GCM') {
      params.info = optionalBytes(given.additionalData);
      params.length = given.tagLength === undefined ? 128 : Number(given.tagLength);
      if (!GCM_TAGS.includes(params.length)) fail('OperationError', `The tag of AES-GCM has ${GCM_TAGS.join(', ')} bits.`);
      if (params.iv.length === 0) fail('OperationError', 'The iv of AES-GCM is empty.');
    }
    if (name === 'AES-CTR') {
      params.iv = bytes(given.counter, 'counter');
      params.length = count(given.length, 'length');
      if (params.iv.length !== 16) fail('OperationError', 'The counter of AES-CTR has 16 bytes.');
    }
    return params;
  };

  const signParams = (name, given, content) => {
    const params = paramsOf(content);
    if (name === 'ECDSA') params.hash = hashOf(given.hash);
    if (name === 'RSA-PSS') params.length = count(given.saltLength, 'saltLength', 1024);
    return params;
  };

  const cipher = (operation, name, given, content, data) => native.subtle(operation, cipherParams(name, given, content), content.bytes, data);

  // The bits of a secret that others are derived from; all of them if `length` is null.
  const derive = async (name, given, key, usage, length) => {
    const content = keyFor(key, name, usage);
    if (length !== null && (typeof length !== 'number' || length % 8 !== 0 || length < 0 || length > 2 ** 20)) {
      fail('OperationError', 'The number of bits to derive is a multiple of 8 from 0 to 1048576.');
    }
    if (name === 'PBKDF2' || name === 'HKDF') {
      if (length === null) fail('OperationError', `${name} needs the number of bits to derive.`);
      return native.subtle('derive', {
        name, hash: hashOf(given.hash), length, iv: bytes(given.salt, 'salt'),
        info: name === 'HKDF' ? bytes(given.info, 'info') : undefined,
        rounds: name === 'PBKDF2' ? count(given.iterations, 'iterations') : undefined,
      }, content.bytes);
    }
    const other = contentOf(given.public);
    if (content.type !== 'private' || other.type !== 'public' || other.algorithm.name !== name || other.algorithm.namedCurve !== content.algorithm.namedCurve) {
      fail('InvalidAccessError', `${name} derives from a private and a public key of the same curve.`);
    }
    const most = CURVE_BITS[content.algorithm.namedCurve ?? name];
    if (length !== null && length > most) fail('OperationError', `${name} gives at most ${most} bits here.`);
    const secret = await native.subtle('derive', paramsOf(content), content.bytes, other.bytes);
    return length === null ? secret : secret.slice(0, length / 8);
  };

  const secretLength = (name, given) => {
    if (ALGORITHMS[name].kind === 'kdf') return null;
    if (ALGORITHMS[name].kind === 'hmac') {
      const bits = given.length === undefined ? BLOCK_BITS[hashOf(given.hash)] : count(given.length, 'length', 2 ** 20);
      return bits === 0 || bits % 8 !== 0 ? fail('OperationError', 'The length of an HMAC key is a multiple of 8.') : bits;
    }
    const bits = Number(given.length);
    return [128, 192, 256].includes(bits) ? bits : fail('OperationError', 'An AES key has 128, 192 or 256 bits.');
  };

  const curveOf = (given) => {
    const curve = `${given.namedCurve}`;
    return curve === 'P-256' || curve === 'P-384' ? curve : fail('NotSupportedError', `The curve ${curve} is not supported; P-256 and P-384 are.`);
  };

  const rsaAlgorithm = async (name, hash, publicBytes) => {
    const [n, e] = await native.subtle('export', { name, format: 'parts', type: 'public' }, publicBytes);
    const leading = Math.clz32(n[0]) - 24;
    return { name, modulusLength: n.length * 8 - leading, publicExponent: e, hash: { name: hash } };
  };

  // ---- JSON Web Keys -----------------------------------------------------------------------------

  const member = (jwk, name) => {
    const decoded = typeof jwk[name] === 'string' ? native.bytesOfBase64url(jwk[name]) : undefined;
    return decoded ?? fail('DataError', `The JWK's member ${name} is missing or is no base64url.`);
  };
  const checkJwk = (jwk, type, use, extractable, usages) => {
    if (jwk.kty !== type) fail('DataError', `The JWK's kty is not ${type}.`);
    if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) fail('DataError', `The JWK's use is not ${use}.`);
    if (jwk.key_ops !== undefined && (!Array.isArray(jwk.key_ops) || usages.some((usage) => !jwk.key_ops.includes(usage)))) {
      fail('DataError', "The JWK's key_ops do not include the usages.");
    }
    if (jwk.ext === false && extractable) fail('DataError', 'The JWK is not extractable.');
  };
  const useOf = (name) => (ALGORITHMS[name].private?.includes('sign') || name === 'HMAC' ? 'sig' : 'enc');
  const jwkAlgorithm = ({ name, hash, namedCurve }, bytes) => {
    const { kind, jwk } = ALGORITHMS[name];
    if (kind === 'hmac') return `HS${hash.name.slice(4)}`;
    if (kind === 'aes') return `A${bytes.length * 8}${name.slice(4)}`;
    if (name === 'RSA-OAEP') return hash.name === 'SHA-1' ? jwk : `RSA-OAEP-${hash.name.slice(4)}`;
    if (kind === 'rsa') return `${jwk}${hash.name.slice(4)}`;
    return name === 'Ed25519' ? 'Ed25519' : undefined;
  };
  const checkJwkAlgorithm = (jwk, algorithm, bytes) => {
    const expected = jwkAlgorithm(algorithm, bytes);
    if (jwk.alg === undefined || expected === undefined || jwk.alg === expected || (expected === 'Ed25519' && jwk.alg === 'EdDSA')) return;
    fail('DataError', `The JWK's alg is ${jwk.alg}, not ${expected}.`);
  };

  const exportJwk = async ({ type, algorithm, usages, extractable, bytes }) => {
    const { name } = algorithm;
    const { kind } = ALGORITHMS[name];
    const text = native.base64url;
    const jwk = { key_ops: [...usages], ext: extractable };
    const alg = jwkAlgorithm(algorithm, bytes);
    if (alg !== undefined) jwk.alg = alg;
    if (kind === 'hmac' || kind === 'aes') return { ...jwk, kty: 'oct', k: text(bytes) };
    const params = { ...paramsOf({ type, algorithm }), format: 'parts' };
    if (kind === 'rsa') {
      const names = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'];
      const parts = await native.subtle('export', params, bytes);
      return { ...jwk, kty: 'RSA', ...Object.fromEntries(parts.map((part, i) => [names[i], text(part)])) };
    }
    const point = type === 'private' ? await native.subtle('public', params, bytes) : bytes;
    const secret = type === 'private' ? { d: text(bytes) } : {};
    if (kind === 'okp') return { ...jwk, kty: 'OKP', crv: name, x: text(point), ...secret };
    const half = (point.length - 1) / 2;
    return { ...jwk, kty: 'EC', crv: algorithm.namedCurve, x: text(point.slice(1, 1 + half)), y: text(point.slice(1 + half)), ...secret };
  };

  // ---- import ------------------------------------------------------------------------------------

  const importSecret = (format, data, name, given, extractable, usages) => {
    const { kind } = ALGORITHMS[name];
    const isJwk = format === 'jwk' && kind !== 'kdf';
    if (format !== 'raw' && !isJwk) fail('NotSupportedError', `A key of ${name} cannot be imported as ${format}.`);
    if (kind === 'kdf' && extractable) fail('SyntaxError', `A key of ${name} cannot be extractable.`);
    const algorithm = { name };
    if (kind === 'hmac') algorithm.hash = { name: hashOf(given.hash) };
    if (isJwk) checkJwk(data, 'oct', useOf(name), extractable, usages);
    const key = isJwk ? member(data, 'k') : native.bytesOf(data).slice();
    if (kind === 'aes' && ![16, 24, 32].includes(key.length)) fail('DataError', `An AES key has 128, 192 or 256 bits, not ${key.length * 8}.`);
    if (kind === 'hmac' && key.length === 0) fail('DataError', 'An HMAC key is not empty.');
    if (kind === 'hmac' && given.length !== undefined && Number(given.length) !== key.length * 8) {
      fail('DataError', `The HMAC key has ${key.length * 8} bits, not ${given.length}.`);
    }
    if (kind !== 'kdf') algorithm.length = key.length * 8;
    if (isJwk) checkJwkAlgorithm(data, algorithm, key);
    return makeKey('secret', algorithm, extractable, usages, key);
  };

  const importPair = async (format, data, name, given, extractable, usages) => {
    const { kind } = ALGORITHMS[name];
    const algorithm = { name };
    if (kind === 'ec') algorithm.namedCurve = curveOf(given);
    if (kind === 'rsa') algorithm.hash = { name: hashOf(given.hash) };
    const type = format === 'pkcs8' || (format === 'jwk' && data.d !== undefined) ? 'private' : 'public';
    const params = { ...paramsOf({ type, algorithm }), format };
    let key;
    if (format === 'jwk') {
      checkJwk(data, { ec: 'EC', okp: 'OKP', rsa: 'RSA' }[kind], useOf(name), extractable, usages);
      checkJwkAlgorithm(data, algorithm);
      if (kind === 'rsa') {
        const names = type === 'public' ? ['n', 'e'] : ['n', 'e', 'd', 'p', 'q'];
        key = await native.subtle('import', { ...params, format: 'parts', parts: names.map((own) => member(data, own)) });
      } else {
        const curve = algorithm.namedCurve ?? name;
        if (data.crv !== curve) fail('DataError', `The JWK's crv is not ${curve}.`);
        const [x, y] = [member(data, 'x'), kind === 'ec' ? member(data, 'y') : EMPTY];
        const point = kind === 'ec' ? Uint8Array.of(4, ...x, ...y) : x;
        key = await native.subtle('import', { ...params, format: 'raw', type: 'public' }, undefined, point);
        if (type === 'private') {
          const secret = await native.subtle('import', { ...params, format: 'raw' }, undefined, member(data, 'd'));
          const own = await native.subtle('public', params, secret);
          if (own.length !== key.length || !native.timingSafeEqual(own, key)) fail('DataError', "The JWK's public and private members do not belong together.");
          key = secret;
        }
      }
    } else {
      if (!['raw', 'spki', 'pkcs8'].includes(format) || (format === 'raw' && kind === 'rsa')) {
        fail('NotSupportedError', `A key of ${name} cannot be imported as ${format}.`);
      }
      key = await native.subtle('import', params, undefined, native.bytesOf(data));
    }
    if (kind === 'rsa') {
      const open = type === 'public' ? key : undefined;
      const [n, e] = open === undefined ? await native.subtle('export', { ...params, format: 'parts' }, key) : [];
      const whole = open ?? await native.subtle('import', { ...params, type: 'public', format: 'parts', parts: [n, e] });
      return makeKey(type, await rsaAlgorithm(name, algorithm.hash.name, whole), extractable, usages, key);
    }
    return makeKey(type, algorithm, extractable, usages, key);
  };
  const EMPTY = new Uint8Array(0);

  const importKey = async (format, data, algorithm, extractable, usages) => {
    const [name, given] = normalize(algorithm, 'import');
    usages = usagesOf(usages);
    if (format === 'jwk') {
      if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data) || data instanceof ArrayBuffer) failType('A JWK is an object.');
    } else {
      native.bytesOf(data);
    }
    const { kind } = ALGORITHMS[name];
    const isSecret = kind === 'hmac' || kind === 'aes' || kind === 'kdf';
    return (isSecret ? importSecret : importPair)(`${format}`, data, name, given, !!extractable, usages);
  };

  const exportKey = async (format, key) => {
    const content = contentOf(key);
    const { type, algorithm, extractable, bytes } = content;
    const { kind } = ALGORITHMS[algorithm.name];
    if (kind === 'kdf') fail('NotSupportedError', `A key of ${algorithm.name} cannot be exported.`);
    if (!extractable) fail('InvalidAccessError', 'The key is not extractable.');
    if (format === 'jwk') return exportJwk(content);
    const expected = { raw: kind === 'rsa' ? 'none' : type === 'secret' ? 'secret' : 'public', pkcs8: 'private', spki: 'public' }[format];
    if (expected === undefined || expected === 'none') fail('NotSupportedError', `A key of ${algorithm.name} cannot be exported as ${format}.`);
    if (type !== expected) fail('InvalidAccessError', `A ${type} key cannot be exported as ${format}.`);
    const exported = format === 'raw' ? bytes.slice() : await native.subtle('export', { ...paramsOf(content), format }, bytes);
    return exported.buffer;
  };

  // ---- the interface -----------------------------------------------------------------------------

  const cipherMethod = (operation) => async (algorithm, key, data) => {
    const [name, given] = normalize(algorithm, 'encrypt');
    const content = keyFor(key, name, operation);
    return (await cipher(operation, name, given, content, native.bytesOf(data))).buffer;
  };
  const encrypt = cipherMethod('encrypt');
  const decrypt = cipherMethod('decrypt');

  class SubtleCrypto {
    constructor(token) { if (token !== ours) throw new TypeError('Illegal constructor'); }

    async encrypt(algorithm, key, data) { return encrypt(algorithm, key, data); }
    async decrypt(algorithm, key, data) { return decrypt(algorithm, key, data); }

    async sign(algorithm, key, data) {
      const [name, given] = normalize(algorithm, 'sign');
      const content = keyFor(key, name, 'sign');
      return (await native.subtle('sign', signParams(name, given, content), content.bytes, native.bytesOf(data))).buffer;
    }
    async verify(algorithm, key, signature, data) {
      const [name, given] = normalize(algorithm, 'sign');
      const content = keyFor(key, name, 'verify');
      const params = { ...signParams(name, given, content), iv: native.bytesOf(signature) };
      return native.subtle('verify', params, content.bytes, native.bytesOf(data));
    }

    async digest(algorithm, data) {
      const name = `${typeof algorithm === 'object' ? algorithm?.name : algorithm}`.toUpperCase();
      // For checksums only: nothing else takes MD5 as its hash.
      const hash = name === 'MD5' ? undefined : hashOf(algorithm);
      return (await native.subtle('digest', { name, hash }, undefined, native.bytesOf(data))).buffer;
    }

    async generateKey(algorithm, extractable, usages) {
      const [name, given] = normalize(algorithm, 'generate');
      const { kind, private: own, public: others } = ALGORITHMS[name];
      usages = usagesOf(usages);
      if (kind === 'aes' || kind === 'hmac') {
        const length = secretLength(name, given);
        const hash = kind === 'hmac' ? { hash: { name: hashOf(given.hash) } } : {};
        return makeKey('secret', { name, ...hash, length }, extractable, usages, native.random(length / 8));
      }
      const wrong = usages.find((usage) => !own.includes(usage) && !others.includes(usage));
      if (wrong !== undefined) fail('SyntaxError', `A key of ${name} cannot be used to ${wrong}.`);
      if (!usages.some((usage) => own.includes(usage))) fail('SyntaxError', 'The private key would have no usages.');
      const params = { name };
      if (kind === 'ec') params.namedCurve = curveOf(given);
      if (kind === 'rsa') {
        params.hash = hashOf(given.hash);
        params.length = count(given.modulusLength, 'modulusLength');
        params.iv = bytes(given.publicExponent, 'publicExponent');
      }
      const [secret, open] = await native.subtle('generate', params);
      const details = kind === 'rsa' ? await rsaAlgorithm(name, params.hash, open) : kind === 'ec' ? { name, namedCurve: params.namedCurve } : { name };
      return {
        publicKey: makeKey('public', details, true, usages.filter((usage) => others.includes(usage)), open),
        privateKey: makeKey('private', details, extractable, usages.filter((usage) => own.includes(usage)), secret),
      };
    }

    async deriveBits(algorithm, key, length = null) {
      const [name, given] = normalize(algorithm, 'derive');
      return (await derive(name, given, key, 'deriveBits', length)).buffer;
    }
    async deriveKey(algorithm, key, derived, extractable, usages) {
      const [name, given] = normalize(algorithm, 'derive');
      const [derivedName, derivedGiven] = normalize(derived, 'import');
      const length = ['hmac', 'aes', 'kdf'].includes(ALGORITHMS[derivedName].kind)
        ? secretLength(derivedName, derivedGiven) : fail('NotSupportedError', `A key of ${derivedName} cannot be derived.`);
      const secret = await derive(name, given, key, 'deriveKey', length);
      return importKey('raw', secret, derived, extractable, usages);
    }

    async importKey(format, data, algorithm, extractable, usages) { return importKey(format, data, algorithm, extractable, usages); }
    async exportKey(format, key) { return exportKey(format, key); }

    async wrapKey(format, key, wrappingKey, algorithm) {
      const [name, given] = normalize(algorithm, 'wrap');
      const content = keyFor(wrappingKey, name, 'wrapKey');
      const exported = await exportKey(format, key);
      const data = format === 'jwk' ? native.encode(JSON.stringify(exported)) : native.bytesOf(exported);
      return (await cipher('encrypt', name, given, content, data)).buffer;
    }
    async unwrapKey(format, wrapped, unwrappingKey, algorithm, keyAlgorithm, extractable, usages) {
      const [name, given] = normalize(algorithm, 'wrap');
      const content = keyFor(unwrappingKey, name, 'unwrapKey');
      normalize(keyAlgorithm, 'import');
      const data = await cipher('decrypt', name, given, content, native.bytesOf(wrapped));
      if (format !== 'jwk') return importKey(format, data, keyAlgorithm, extractable, usages);
      let jwk;
      try {
        jwk = JSON.parse(native.decodeUtf8(data));
      } catch {
        fail('DataError', 'What was wrapped is no JWK.');
      }
      return importKey(format, jwk, keyAlgorithm, extractable, usages);
    }

    // Of workerd, not of the standard.
    timingSafeEqual(a, b) {
      const [left, right] = [native.bytesOf(a), native.bytesOf(b)];
      if (left.length !== right.length) throw new TypeError('Input buffers must have the same byte length');
      return native.timingSafeEqual(left, right);
    }
  }

  for (const constructor of [SubtleCrypto, CryptoKey]) native.tag(constructor);
  return { SubtleCrypto, CryptoKey, subtle: new SubtleCrypto(ours) };
})
