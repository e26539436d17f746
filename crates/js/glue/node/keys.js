// Keys and signatures: https://nodejs.org/api/crypto.html#class-keyobject , as far as RSA, P-256, P-384, Ed25519 and X25519.
// A key's bytes are as subtle.rs has them; the computations are those of crypto.subtle.
(function (native) {
  'use strict';
  const { check, coded, invalidType, invalidValue, missing } = native.use('internal/errors');
  const { Buffer } = native.use('buffer');
  const { isAnyArrayBuffer } = native.use('util/types');
  const CURVES = { 'P-256': { node: 'prime256v1', bytes: 32 }, 'P-384': { node: 'secp384r1', bytes: 48 } };
  const CURVE_NAMES = { prime256v1: 'P-256', secp256r1: 'P-256', 'P-256': 'P-256', secp384r1: 'P-384', 'P-384': 'P-384' };
  const TYPES = { 'RSASSA-PKCS1-v1_5': 'rsa', ECDSA: 'ec', Ed25519: 'ed25519', X25519: 'x25519' };
  const SIGNED_HASHES = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };
  const HASH_BYTES = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };
  const constants = { RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2 };
  const JWK_RSA = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'];
  const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \1-----/;
  // By PEM label: whether the key is private, and its format.
  const LABELS = {
    'PRIVATE KEY': ['private', 'pkcs8'], 'RSA PRIVATE KEY': ['private', 'pkcs1'], 'EC PRIVATE KEY': ['private', 'sec1'],
    'PUBLIC KEY': ['public', 'spki'], 'RSA PUBLIC KEY': ['public', 'pkcs1'],
  };

  const notThere = (what) => coded(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `node:crypto ${what} is not implemented in Dolmen`);
  const noKey = () => coded(Error, 'ERR_OSSL_UNSUPPORTED', 'error:1E08010C:DECODER routines::unsupported');
  const wrongType = (type, expected) => coded(TypeError, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', `Invalid key object type ${type}, expected ${expected}.`);

  // `bytesOf` and `hashName` read arguments as the rest of the module does.
  return ({ bytesOf, hashName, later }) => {
    // By KeyObject: { type, bytes }, and of those that are not secret { algorithm, curve }.
    const contents = new WeakMap();
    const ours = Symbol();
    const paramsOf = ({ type, algorithm, curve }) => ({ name: algorithm, type, namedCurve: curve });

    class KeyObject {
      constructor(token, content) {
        if (token !== ours) throw invalidValue('type', token);
        contents.set(this, content);
      }
      static from() { throw notThere('KeyObject.from'); }
      get type() { return contents.get(this).type; }
      equals(other) {
        if (!(other instanceof KeyObject)) throw invalidType('otherKeyObject', 'KeyObject', other);
        const [one, two] = [contents.get(this), contents.get(other)];
        return one.type === two.type && one.algorithm === two.algorithm && one.curve === two.curve
          && one.bytes.length === two.bytes.length && native.timingSafeEqual(one.bytes, two.bytes);
      }
      toCryptoKey() { throw notThere('KeyObject.toCryptoKey'); }
    }
    Object.defineProperty(KeyObject.prototype, Symbol.toStringTag, { value: 'KeyObject', configurable: true });

    class SecretKeyObject extends KeyObject {
      get symmetricKeySize() { return contents.get(this).bytes.length; }
      export(options) {
        const bytes = Buffer.from(contents.get(this).bytes);
        return options?.format === 'jwk' ? { kty: 'oct', k: bytes.toString('base64url') } : bytes;
      }
    }
    class AsymmetricKeyObject extends KeyObject {
      get asymmetricKeyType() { return TYPES[contents.get(this).algorithm]; }
      get asymmetricKeyDetails() {
        const content = contents.get(this);
        if (content.curve !== undefined) return { namedCurve: CURVES[content.curve].node };
        if (this.asymmetricKeyType !== 'rsa') return {};
        const [n, e] = native.compute('export', { ...paramsOf(content), format: 'parts' }, content.bytes);
        return { modulusLength: n.length * 8 - (Math.clz32(n[0]) - 24), publicExponent: BigInt(`0x${Buffer.from(e).toString('hex')}`) };
      }
      export(options) {
        check.object(options, 'options');
        const content = contents.get(this);
        if (options.format === 'jwk') return jwkOf(content);
        if (options.cipher !== undefined || options.passphrase !== undefined) throw notThere('the encryption of exported keys');
        const isRsa = content.algorithm === 'RSASSA-PKCS1-v1_5';
        const allowed = content.type === 'public' ? ['spki'] : content.curve === undefined ? ['pkcs8'] : ['pkcs8', 'sec1'];
        if (isRsa) allowed.push('pkcs1');
        const { type, format = 'pem' } = options;
        if (!allowed.includes(type)) throw invalidValue('options.type', type);
        if (format !== 'pem' && format !== 'der') throw invalidValue('options.format', format);
        const der = Buffer.from(type === 'pkcs1' ? content.bytes : native.compute('export', { ...paramsOf(content), format: type }, content.bytes));
        if (format === 'der') return der;
        const label = Object.keys(LABELS).find((name) => LABELS[name][0] === content.type && LABELS[name][1] === type);
        return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
      }
    }
    class PublicKeyObject extends AsymmetricKeyObject {}
    class PrivateKeyObject extends AsymmetricKeyObject {}
    const keyObject = (content) => new ({ secret: SecretKeyObject, public: PublicKeyObject, private: PrivateKeyObject })[content.type](ours, content);

    // ---- encodings ---------------------------------------------------------------------------------

    const text = (bytes) => native.base64url(bytes);
    const publicOf = (content) => {
      if (content.type === 'public') return content;
      const params = paramsOf(content);
      const open = { ...content, type: 'public' };
      if (content.algorithm !== 'RSASSA-PKCS1-v1_5') return { ...open, bytes: native.compute('public', params, content.bytes) };
      const parts = native.compute('export', { ...params, format: 'parts' }, content.bytes).slice(0, 2);
      return { ...open, bytes: native.compute('import', { ...params, type: 'public', format: 'parts', parts }) };
    };
    const jwkOf = (content) => {
      const { type, algorithm, curve, bytes } = content;
      if (algorithm === 'RSASSA-PKCS1-v1_5') {
        const parts = native.compute('export', { ...paramsOf(content), format: 'parts' }, bytes);
        return { kty: 'RSA', ...Object.fromEntries(parts.map((part, i) => [JWK_RSA[i], text(part)])) };
      }
      const point = publicOf(content).bytes;
      const secret = type === 'private' ? { d: text(bytes) } : {};
      if (curve === undefined) return { crv: algorithm, ...secret, x: text(point), kty: 'OKP' };
      const half = CURVES[curve].bytes;
      return { kty: 'EC', x: text(point.slice(1, 1 + half)), y: text(point.slice(1 + half)), crv: curve, ...secret };
    };

    // What fails while a key is decoded is that it is none.
    const decoding = (work) => {
      try {
        return work();
      } catch (error) {
        if (error instanceof DOMException) throw noKey();
        throw error;
      }
    };
    const importJwk = (jwk) => {
      check.object(jwk, 'key.key');
      const member = (name) => {
        const bytes = typeof jwk[name] === 'string' ? native.bytesOfBase64url(jwk[name]) : undefined;
        if (!bytes) throw coded(TypeError, 'ERR_CRYPTO_INVALID_JWK', 'Invalid JWK data');
        return bytes;
      };
      const type = jwk.d === undefined ? 'public' : 'private';
      if (jwk.kty === 'RSA') {
        const params = { name: 'RSASSA-PKCS1-v1_5', type, format: 'parts', parts: (type === 'public' ? ['n', 'e'] : ['n', 'e', 'd', 'p', 'q']).map(member) };
        return { type, algorithm: params.name, bytes: native.compute('import', params) };
      }
      const isEc = jwk.kty === 'EC' && Object.hasOwn(CURVES, jwk.crv);
      if (!isEc && !(jwk.kty === 'OKP' && (jwk.crv === 'Ed25519' || jwk.crv === 'X25519'))) throw coded(TypeError, 'ERR_CRYPTO_INVALID_JWK', 'Invalid JWK data');
      const content = isEc ? { type, algorithm: 'ECDSA', curve: jwk.crv } : { type, algorithm: jwk.crv };
      const data = type === 'private' ? member('d') : isEc ? Uint8Array.of(4, ...member('x'), ...member('y')) : member('x');
      return { ...content, bytes: native.compute('import', { ...paramsOf(content), format: 'raw' }, undefined, data) };
    };
    const importDer = (type, format, der) => {
      const [algorithm, curve] = format === 'pkcs1' ? ['RSASSA-PKCS1-v1_5'] : native.identifyKey(format, der) ?? [];
      if (algorithm === undefined) throw noKey();
      const content = { type, algorithm, curve };
      return { ...content, bytes: native.compute('import', { ...paramsOf(content), format }, undefined, der) };
    };
    const decoded = (given, wanted) => {
      const isPlain = typeof given === 'string' || ArrayBuffer.isView(given) || isAnyArrayBuffer(given);
      if (!isPlain && (typeof given !== 'object' || given === null || given instanceof KeyObject || given.key === undefined)) {
        throw invalidType('key', ['string', 'ArrayBuffer', 'Buffer', 'TypedArray', 'DataView'], given);
      }
      const { key, format = 'pem', type, encoding } = isPlain ? { key: given } : given;
      return decoding(() => {
        if (format === 'jwk') return importJwk(key);
        if (key instanceof KeyObject) return contents.get(key);
        const bytes = bytesOf(key, isPlain ? 'key' : 'key.key', encoding);
        if (format === 'der') {
          if (type === undefined && wanted === 'private') throw invalidValue('options.type', type);
          const isPrivate = type === 'pkcs8' || type === 'sec1' || (type === 'pkcs1' && wanted === 'private');
          return importDer(isPrivate ? 'private' : 'public', type ?? 'spki', Uint8Array.from(bytes));
        }
        if (format !== 'pem') throw invalidValue('options.format', format);
        const found = PEM.exec(Buffer.from(bytes).toString('latin1'));
        if (found === null) throw noKey();
        if (found[1] === 'ENCRYPTED PRIVATE KEY' || found[2].includes('ENCRYPTED')) throw notThere('the decryption of private keys');
        if (found[1] === 'CERTIFICATE') throw notThere('X509Certificate');
        if (!Object.hasOwn(LABELS, found[1])) throw noKey();
        return importDer(...LABELS[found[1]], Uint8Array.from(Buffer.from(found[2], 'base64')));
      });
    };
    // The content of whatever a function takes as its key.
    const contentFor = (given, wanted) => {
      const isObject = given instanceof KeyObject || given?.key instanceof KeyObject;
      const content = isObject ? contents.get(given instanceof KeyObject ? given : given.key) : decoded(given, wanted);
      if (wanted === 'public' && content.type === 'private') return publicOf(content);
      if (content.type !== wanted) throw isObject ? wrongType(content.type, wanted) : noKey();
      return content;
    };
    const createPrivateKey = (key) => {
      const content = decoded(key, 'private');
      if (content.type !== 'private') throw noKey();
      return keyObject(content);
    };
    const createPublicKey = (key) => {
      if (key instanceof KeyObject && key.type !== 'private') throw wrongType(key.type, 'private');
      return keyObject(contentFor(key, 'public'));
    };

    // ---- signatures --------------------------------------------------------------------------------

    // DER is a sequence of two integers, each with the fewest bytes and a sign.
    const toDer = (signature) => {
      const integers = [0, 1].map((i) => {
        let number = signature.subarray(i * signature.length / 2, (i + 1) * signature.length / 2);
        while (number.length > 1 && number[0] === 0) number = number.subarray(1);
        const sign = number[0] > 127 ? [0] : [];
        return [2, sign.length + number.length, ...sign, ...number];
      });
      const length = integers[0].length + integers[1].length;
      return Uint8Array.from([0x30, length, ...integers[0], ...integers[1]]);
    };
    // Nothing of what is no such sequence.
    const fromDer = (der, half) => {
      const out = new Uint8Array(2 * half);
      if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
      let at = 2;
      for (const end of [half, 2 * half]) {
        const length = der[at + 1];
        if (der[at] !== 2 || !(length > 0) || at + 2 + length > der.length) return undefined;
        let number = der.subarray(at + 2, at + 2 + length);
        if (number[0] > 127 || (length > 1 && number[0] === 0 && number[1] < 128)) return undefined;
        if (number[0] === 0) number = number.subarray(1);
        if (number.length > half) return undefined;
        out.set(number, end - number.length);
        at += 2 + length;
      }
      return at === der.length ? out : undefined;
    };

    const hashFor = (algorithm, content) => {
      if (algorithm === null || algorithm === undefined) return content.algorithm === 'Ed25519' ? undefined : 'SHA-256';
      check.string(algorithm, 'algorithm');
      const name = hashName(algorithm);
      if (name === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
      if (content.algorithm === 'Ed25519') throw coded(Error, 'ERR_OSSL_INVALID_DIGEST', 'error:1C80007A:Provider routines::invalid digest');
      return SIGNED_HASHES[name] ?? (() => { throw notThere(`signatures with ${name}`); })();
    };
    // The parameters of the computation; more than one where the length of the salt is to be found out.
    const ways = (algorithm, content, options, isSigning) => {
      const hash = hashFor(algorithm, content);
      const params = { ...paramsOf(content), hash };
      if (content.algorithm === 'X25519') throw coded(Error, 'ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE', 'operation not supported for this keytype');
      const { padding = constants.RSA_PKCS1_PADDING, saltLength } = options ?? {};
      if (content.algorithm !== 'RSASSA-PKCS1-v1_5' || padding === constants.RSA_PKCS1_PADDING) return [params];
      if (padding !== constants.RSA_PKCS1_PSS_PADDING) throw invalidValue('options.padding', padding);
      const { modulusLength } = keyObject(content).asymmetricKeyDetails;
      const most = Math.ceil((modulusLength - 1) / 8) - HASH_BYTES[hash] - 2;
      const length = saltLength ?? constants.RSA_PSS_SALTLEN_AUTO;
      const lengths = length >= 0 ? [length] : length === constants.RSA_PSS_SALTLEN_DIGEST ? [HASH_BYTES[hash]] : isSigning ? [most] : [most, HASH_BYTES[hash]];
      return lengths.map((each) => ({ ...params, name: 'RSA-PSS', length: each }));
    };
    const isRaw = (options) => {
      const encoding = options?.dsaEncoding ?? 'der';
      if (encoding !== 'der' && encoding !== 'ieee-p1363') throw invalidValue('options.dsaEncoding', encoding);
      return encoding === 'ieee-p1363';
    };
    const optionsOf = (key) => (typeof key === 'object' && key !== null && !(key instanceof KeyObject) && !ArrayBuffer.isView(key) ? key : undefined);
    const signed = (algorithm, data, key) => {
      const options = optionsOf(key);
      const content = contentFor(key, 'private');
      const raw = isRaw(options);
      const [params] = ways(algorithm, content, options, true);
      const signature = native.compute('sign', params, content.bytes, data);
      return Buffer.from(content.algorithm === 'ECDSA' && !raw ? toDer(signature) : signature);
    };
    const verified = (algorithm, data, key, signature) => {
      const options = optionsOf(key);
      const content = contentFor(key, 'public');
      const raw = isRaw(options);
      const own = content.algorithm === 'ECDSA' && !raw ? fromDer(signature, CURVES[content.curve].bytes) : signature;
      return own !== undefined && ways(algorithm, content, options, false).some((params) => native.compute('verify', { ...params, iv: own }, content.bytes, data));
    };

    const collecting = (name) => class {
      #algorithm; #parts = [];
      constructor(algorithm) {
        check.string(algorithm, 'algorithm');
        if (hashName(algorithm) === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', 'Invalid digest');
        this.#algorithm = algorithm;
      }
      static get name() { return name; }
      update(data, encoding) {
        if (this.#parts === null) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation update');
        this.#parts.push(Uint8Array.from(bytesOf(data, 'data', encoding)));
        return this;
      }
      static finish(object) {
        if (object.#parts === null) throw coded(Error, 'ERR_CRYPTO_INVALID_STATE', 'Not initialised');
        const data = Buffer.concat(object.#parts);
        object.#parts = null;
        return [object.#algorithm, data];
      }
    };
    const Signing = collecting('Sign');
    class Sign extends Signing {
      sign(key, encoding) {
        if (key === undefined || key === null) throw coded(Error, 'ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign');
        const signature = signed(...Signing.finish(this), key);
        return encoding === undefined || encoding === 'buffer' ? signature : signature.toString(encoding);
      }
    }
    const Verifying = collecting('Verify');
    class Verify extends Verifying {
      verify(key, signature, encoding) {
        return verified(...Verifying.finish(this), key, bytesOf(signature, 'signature', encoding));
      }
    }
    // Streams, which both are in Node: whoever pipes into one is told.
    for (const Class of [Sign, Verify]) {
      for (const name of ['write', 'end', 'on', 'once', 'pipe']) Object.defineProperty(Class.prototype, name, { value: missing('crypto', `${Class.name}.${name}`), writable: true, configurable: true });
    }

    // ---- making keys -------------------------------------------------------------------------------

    const generated = (type, options) => {
      check.string(type, 'type');
      if (type === 'rsa') {
        check.object(options, 'options');
        const { modulusLength, publicExponent = 0x10001 } = options;
        check.integer(modulusLength, 'options.modulusLength', 0, 2 ** 32 - 1);
        check.integer(publicExponent, 'options.publicExponent', 0, 2 ** 32 - 1);
        const exponent = Uint8Array.from([publicExponent >>> 24, publicExponent >>> 16, publicExponent >>> 8, publicExponent].map((each) => each & 255));
        const [secret, open] = native.compute('generate', { name: 'RSASSA-PKCS1-v1_5', length: modulusLength, iv: exponent });
        return [secret, open, { algorithm: 'RSASSA-PKCS1-v1_5' }];
      }
      if (type === 'ec') {
        check.object(options, 'options');
        check.string(options.namedCurve, 'options.namedCurve');
        const curve = Object.hasOwn(CURVE_NAMES, options.namedCurve) ? CURVE_NAMES[options.namedCurve] : undefined;
        if (curve === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_CURVE', 'Invalid EC curve name');
        return [...native.compute('generate', { name: 'ECDSA', namedCurve: curve }), { algorithm: 'ECDSA', curve }];
      }
      const algorithm = { ed25519: 'Ed25519', x25519: 'X25519' }[type];
      if (algorithm !== undefined) return [...native.compute('generate', { name: algorithm }), { algorithm }];
      if (['rsa-pss', 'dsa', 'dh', 'ed448', 'x448'].includes(type)) throw notThere(`generateKeyPair of ${type}`);
      throw invalidValue('type', type, 'must be a supported key type');
    };
    const generateKeyPairSync = (type, options) => {
      const [secret, open, kind] = generated(type, options);
      const encoded = (key, encoding) => (encoding === undefined ? key : key.export(encoding));
      return {
        publicKey: encoded(keyObject({ ...kind, type: 'public', bytes: open }), options?.publicKeyEncoding),
        privateKey: encoded(keyObject({ ...kind, type: 'private', bytes: secret }), options?.privateKeyEncoding),
      };
    };
    const generateKeyPair = (type, options, callback) => {
      if (typeof options === 'function') [options, callback] = [undefined, options];
      check.function(callback, 'callback');
      check.string(type, 'type');
      later(() => generateKeyPairSync(type, options), (error, pair) => (error ? callback(error) : callback(null, pair.publicKey, pair.privateKey)));
    };
    Object.defineProperty(generateKeyPair, Symbol.for('nodejs.util.promisify.custom'), {
      value: (type, options) => new Promise((resolve, reject) => {
        later(() => generateKeyPairSync(type, options), (error, pair) => (error ? reject(error) : resolve(pair)));
      }),
    });

    // ---- RSA-OAEP ----------------------------------------------------------------------------------

    const oaep = (operation, wanted) => (key, data) => {
      const options = optionsOf(key) ?? {};
      const content = contentFor(key, wanted);
      const { padding = constants.RSA_PKCS1_OAEP_PADDING, oaepHash = 'sha1', oaepLabel } = options;
      if (padding !== constants.RSA_PKCS1_OAEP_PADDING || content.algorithm !== 'RSASSA-PKCS1-v1_5') throw notThere(`${wanted === 'public' ? 'publicEncrypt' : 'privateDecrypt'} with another padding than OAEP`);
      const hash = SIGNED_HASHES[hashName(oaepHash)];
      if (hash === undefined) throw coded(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${oaepHash}`);
      const params = { name: 'RSA-OAEP', type: content.type, hash, iv: oaepLabel === undefined ? undefined : bytesOf(oaepLabel, 'key.oaepLabel') };
      return Buffer.from(native.compute(operation, params, content.bytes, bytesOf(data, 'buffer')));
    };

    const copied = (data) => Uint8Array.from(bytesOf(data, 'data'));
    return {
      secretOf: (key) => {
        const { type, bytes } = contents.get(key);
        if (type !== 'secret') throw wrongType(type, 'secret');
        return bytes;
      },
      exports: {
        KeyObject, Sign, Verify, constants: Object.freeze(Object.assign(Object.create(null), constants)),
        createSecretKey: (key, encoding) => keyObject({ type: 'secret', bytes: Uint8Array.from(bytesOf(key, 'key', encoding)) }),
        createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync,
        createSign: (algorithm) => new Sign(algorithm),
        createVerify: (algorithm) => new Verify(algorithm),
        sign(algorithm, data, key, callback) {
          if (callback !== undefined) check.function(callback, 'callback');
          const bytes = copied(data);
          return later(() => signed(algorithm, bytes, key), callback);
        },
        verify(algorithm, data, key, signature, callback) {
          if (callback !== undefined) check.function(callback, 'callback');
          const [bytes, own] = [copied(data), Uint8Array.from(bytesOf(signature, 'signature'))];
          return later(() => verified(algorithm, bytes, key, own), callback);
        },
        publicEncrypt: oaep('encrypt', 'public'),
        privateDecrypt: oaep('decrypt', 'private'),
        getCurves: () => ['prime256v1', 'secp384r1'],
      },
    };
  };
})
