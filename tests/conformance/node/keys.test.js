// node:crypto: keys and signatures. The keys, the signatures and what is encrypted were made by Node 20.
import {
  KeyObject, constants, createHmac, createPrivateKey, createPublicKey, createSecretKey, createSign, createVerify, generateKeyPair, generateKeyPairSync, privateDecrypt,
  publicEncrypt, sign, verify,
} from "node:crypto";
import { promisify } from "node:util";
import { test, assert } from "../harness.js";
export { default } from "../harness.js";

const DATA = Buffer.from("data");
const OTHER = Buffer.from("other");
const base64 = (text) => Buffer.from(text, "base64");
const MADE = {
  rsa: {
    pkcs8: "-----BEGIN PRIVATE KEY-----\nMIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAK6qyohHXH/7QZRM\no1BnmZq5fYocFR/ALjxOeIxw6VV1pn/LIPTYL2VT3aBZly8W+j3QsgAqnLh8m3i4\nRqkODZxqrA/gVahu1mto8kxmwvXPT8KWcDhE7PHPU7JPLVNRW1TMpyPUaerSZgz7\nI/Vx+I82AMEpb377Ly3oteKCV+4NAgMBAAECgYBI6pW4RIoyB1L+NOwsocM3G150\nLHsJETJ8DIo4nt5Zxc6nJMZyUFmg5FzuFtiNWPtImPnmJePdBG/m+o7M/kfhpuM2\ntwFOyZQ1XgkkBHSzuP6OtRJSeQLUE5IluR6hlrwovbE6U11kAUu0H9fmbN6108uX\nL+PL1j8R/Nw3Rwi8xQJBANq0LmMPA1m0JYfvtD602m/bM8egNYO3kWHg0o1Emtwh\nFxAwrkziFFBmd+sdBcoJtyMI4jAHuq6QwSgizt1viocCQQDMdCCvWGzbZDZ0ynhd\na8wtcGzAaWfKCevwCxBiNgWhr28YmiDJSQ7SUnj8fUNba0Io6BrAhh1EET5B8+ln\nboPLAkAT3n7AXSLOyYEHYo2bjM6zjtSbdECoYMsCe2xljTAMg60WuXV8YqW50DVg\n1NgrzMookqwJ9QnOxjPmM5NbpsCNAkEAwQEjVcQIxzcb/TahV7eKgJ6v2xfmBaFG\nHE2lgsDyogaFvtjI+JtCJaP7WIc7jdJ8Gze5AWPZvsb0WbhS7vQx7wJALoLzQYNa\nPbOejja41caim26dSPnnV12sWX5HZi0I331TZbox5e4DBc7QOQcah3+TsE99pbY+\nA/xvn5UJJNCA/A==\n-----END PRIVATE KEY-----\n",
    pkcs1: "-----BEGIN RSA PRIVATE KEY-----\nMIICXAIBAAKBgQCuqsqIR1x/+0GUTKNQZ5mauX2KHBUfwC48TniMcOlVdaZ/yyD0\n2C9lU92gWZcvFvo90LIAKpy4fJt4uEapDg2caqwP4FWobtZraPJMZsL1z0/ClnA4\nROzxz1OyTy1TUVtUzKcj1Gnq0mYM+yP1cfiPNgDBKW9++y8t6LXiglfuDQIDAQAB\nAoGASOqVuESKMgdS/jTsLKHDNxtedCx7CREyfAyKOJ7eWcXOpyTGclBZoORc7hbY\njVj7SJj55iXj3QRv5vqOzP5H4abjNrcBTsmUNV4JJAR0s7j+jrUSUnkC1BOSJbke\noZa8KL2xOlNdZAFLtB/X5mzetdPLly/jy9Y/EfzcN0cIvMUCQQDatC5jDwNZtCWH\n77Q+tNpv2zPHoDWDt5Fh4NKNRJrcIRcQMK5M4hRQZnfrHQXKCbcjCOIwB7qukMEo\nIs7db4qHAkEAzHQgr1hs22Q2dMp4XWvMLXBswGlnygnr8AsQYjYFoa9vGJogyUkO\n0lJ4/H1DW2tCKOgawIYdRBE+QfPpZ26DywJAE95+wF0izsmBB2KNm4zOs47Um3RA\nqGDLAntsZY0wDIOtFrl1fGKludA1YNTYK8zKKJKsCfUJzsYz5jOTW6bAjQJBAMEB\nI1XECMc3G/02oVe3ioCer9sX5gWhRhxNpYLA8qIGhb7YyPibQiWj+1iHO43SfBs3\nuQFj2b7G9Fm4Uu70Me8CQC6C80GDWj2zno42uNXGoptunUj551ddrFl+R2YtCN99\nU2W6MeXuAwXO0DkHGod/k7BPfaW2PgP8b5+VCSTQgPw=\n-----END RSA PRIVATE KEY-----\n",
    spki: "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCuqsqIR1x/+0GUTKNQZ5mauX2K\nHBUfwC48TniMcOlVdaZ/yyD02C9lU92gWZcvFvo90LIAKpy4fJt4uEapDg2caqwP\n4FWobtZraPJMZsL1z0/ClnA4ROzxz1OyTy1TUVtUzKcj1Gnq0mYM+yP1cfiPNgDB\nKW9++y8t6LXiglfuDQIDAQAB\n-----END PUBLIC KEY-----\n",
    publicPkcs1: "-----BEGIN RSA PUBLIC KEY-----\nMIGJAoGBAK6qyohHXH/7QZRMo1BnmZq5fYocFR/ALjxOeIxw6VV1pn/LIPTYL2VT\n3aBZly8W+j3QsgAqnLh8m3i4RqkODZxqrA/gVahu1mto8kxmwvXPT8KWcDhE7PHP\nU7JPLVNRW1TMpyPUaerSZgz7I/Vx+I82AMEpb377Ly3oteKCV+4NAgMBAAE=\n-----END RSA PUBLIC KEY-----\n",
    signature: "iMJG+apgnCoYnFU77gBST2j8aCHnDezxnxKE/D/Uo6I9BpwZtYBnrwJAqRzvRf8F22opAlteQA4FCkACQ1khyPU9kgyyhz/p2ExZeO15FdGpmQp+Z36hXO1ao7Mzzdl2X+fwUf3yfcrZhUGKrTYbn+9Q8Cbs1XSt1pepNZfxSX0=",
    pss: "ndgRf6E3hOnLuzYMOZHd91iVXofSsUw00Zej/EqvcrviMIjL6F+VkghXOGLT6OawONn9mLT8EZf3jOm6pfpIOW5+bGPh3s4wAF0vZnWu4R+tDpx8Y6HEbMInBulhKsTzYMR6k3OeLIkqgi5pWtAsl6/pGLHtdSpOV0kbId0aTxo=",
    pssMost: "Z7bKxh9hPZ5U8Rh4BkorOzN8Po1M+1ed+ARq6aaLqThWPdYpSGS4GQz06NUvuk8do1pWjlWxqyvDfqRkmGdDx5+HrKCERvx7iXBVIu4bHIXfYs1K96GGmwrWmyt6Knn19SuI2Uckecqg5G7v1fqo26CeG/Q7Zuw+oFip4F7yifU=",
    sealed: "Ptu2VBza+i6QkjNmI4ViRpO1CglnEteFFRorJOJsjMRK3nAvIhZal4Zlcw3wWgVrBNMwrQpI5WE2Jic4IoJNXF4HSXJUQ3A2K39FvgrURzxRI9mnHwHzg9u0IefNW8j57HvcXNGwQMFD1YWrO1taET6Fwehio0p+U8IatDDyTsw=",
  },
  ec: {
    pkcs8: "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4sNZPpzpFs9VaqtJ\nO95EJgsYZGXaMzL95rrasoblzyChRANCAASPpy5GYrqrB1fCwEXRlwNjYSc43bmq\nZ+eS4i+e5ngIJRFmLUK2cJrDaousd3jAqQjIARHjbdP9+L3dV1JvnyJ+\n-----END PRIVATE KEY-----\n",
    sec1: "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIOLDWT6c6RbPVWqrSTveRCYLGGRl2jMy/ea62rKG5c8goAoGCCqGSM49\nAwEHoUQDQgAEj6cuRmK6qwdXwsBF0ZcDY2EnON25qmfnkuIvnuZ4CCURZi1CtnCa\nw2qLrHd4wKkIyAER423T/fi93VdSb58ifg==\n-----END EC PRIVATE KEY-----\n",
    spki: "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEj6cuRmK6qwdXwsBF0ZcDY2EnON25\nqmfnkuIvnuZ4CCURZi1CtnCaw2qLrHd4wKkIyAER423T/fi93VdSb58ifg==\n-----END PUBLIC KEY-----\n",
    signature: "MEUCIQCO5HL87lioHYCbqfhdUGSD1oNAFhURfRuQhQd/uZo4AAIgUXQbCzt9o4O9E/MXXm9gTdapO34tL04M/k7ZkBqKAeM=",
    raw: "sJ5l4Bll7hAGxTwp5Tm5vsM/Tb9pMh0KR1a3tTwc11COruciiloRgSQzdl6R0+Cefg6EEx4KTZBrEyi9561fxg==",
    jwk: {
      kty: "EC",
      x: "j6cuRmK6qwdXwsBF0ZcDY2EnON25qmfnkuIvnuZ4CCU",
      y: "EWYtQrZwmsNqi6x3eMCpCMgBEeNt0_34vd1XUm-fIn4",
      crv: "P-256",
      d: "4sNZPpzpFs9VaqtJO95EJgsYZGXaMzL95rrasoblzyA",
    },
  },
  ec384: {
    sec1: "-----BEGIN EC PRIVATE KEY-----\nMIGkAgEBBDBsgouPY76+iRHWdN8kYIDpGK7ii2IwFCdQHo+R6EJT/33LJPGDYHSV\nkx/cA8qPWtagBwYFK4EEACKhZANiAAQ9LN2z4lw+HB1OSdDYx1jA6/2K9v7Ek2XB\nZqGLDDR1Zq2bdiOvmZAsyx/kxpW8qsbXSolz/riTuV+JMPnv8vOHnmG9vYaC2rr5\nqrKHfwXBvZtS4cmPLLrFtpvPtoP5jdM=\n-----END EC PRIVATE KEY-----\n",
    spki: "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEPSzds+JcPhwdTknQ2MdYwOv9ivb+xJNl\nwWahiww0dWatm3Yjr5mQLMsf5MaVvKrG10qJc/64k7lfiTD57/Lzh55hvb2Ggtq6\n+aqyh38Fwb2bUuHJjyy6xbabz7aD+Y3T\n-----END PUBLIC KEY-----\n",
    signature: "MGUCMQCERbwAVs3gqQqcL1V/9gdCGSHL5J3AiIHiN+JWxW8toOaTov7GuCFIEwjm7HRxed4CMCG5OzpUT2xYhtTyGbb0ITpAnlbDG6kAaLKlH6vQo34VZ+sihM/MRUTpz8Rk4WCyvg==",
  },
  ed: {
    pkcs8: "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIBo9dX2FAGe0SM04gB6pejTEhVfyx6nJhhwKWQlf3So4\n-----END PRIVATE KEY-----\n",
    spki: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAjkWAhRqV4CHj396eK4QojZl8W1ao+rpMkgxNRe0ftLg=\n-----END PUBLIC KEY-----\n",
    signature: "18i2tIP/YfzI3+bpp9eHRfO/rG2MeOH9PWcheF8qQPsHE/MS06G9/flMommV3HxxRdHifB1pbuV/j8W3JhnSAg==",
    jwk: {
      crv: "Ed25519",
      x: "jkWAhRqV4CHj396eK4QojZl8W1ao-rpMkgxNRe0ftLg",
      kty: "OKP",
    },
  },
};

test("RSA: what Node signs and what is signed here are the same", () => {
  const { pkcs8, pkcs1, spki, publicPkcs1, signature } = MADE.rsa;
  for (const key of [pkcs8, pkcs1, createPrivateKey(pkcs8), { key: pkcs1 }]) {
    assert.equal(sign("sha256", DATA, key).toString("base64"), signature);
    assert.equal(createSign("RSA-SHA256").update("da").update("ta").sign(key, "base64"), signature);
  }
  for (const key of [spki, publicPkcs1, createPublicKey(spki), pkcs8, createPublicKey(pkcs1)]) {
    assert.equal(verify("sha256", DATA, key, base64(signature)), true);
    assert.equal(verify("sha256", OTHER, key, base64(signature)), false);
    assert.equal(verify("sha256", DATA, key, Buffer.alloc(3)), false);
    assert.equal(createVerify("sha256").update(DATA).verify(key, signature, "base64"), true);
  }
});

test("RSA-PSS", () => {
  const { pkcs8, spki, pss, pssMost } = MADE.rsa;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  assert.equal(verify("sha256", DATA, { key: spki, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, base64(pss)), true);
  assert.equal(verify("sha256", DATA, { key: spki, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, base64(pssMost)), false);
  const own = sign("sha256", DATA, { key: pkcs8, padding, saltLength: 20 });
  assert.equal(verify("sha256", DATA, { key: spki, padding, saltLength: 20 }, own), true);
});

test("RSA-PSS: the length of the salt is found out", () => {
  const { spki, pss, pssMost } = MADE.rsa;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  for (const signature of [pss, pssMost]) {
    assert.equal(verify("sha256", DATA, { key: spki, padding }, base64(signature)), true);
    assert.equal(verify("sha256", OTHER, { key: spki, padding }, base64(signature)), false);
  }
});

test("a KeyObject as the key in options", () => {
  const { pkcs8, spki, signature } = MADE.rsa;
  assert.equal(sign("sha256", DATA, { key: createPrivateKey(pkcs8) }).toString("base64"), signature);
  assert.equal(verify("sha256", DATA, { key: createPublicKey(spki) }, base64(signature)), true);
});

test("RSA-OAEP with another hash", () => {
  const { pkcs8, spki, sealed } = MADE.rsa;
  assert.equal(privateDecrypt({ key: pkcs8, oaepHash: "sha256" }, publicEncrypt({ key: spki, oaepHash: "sha256" }, OTHER)).toString(), "other");
  assert.throws(() => privateDecrypt({ key: pkcs8, oaepHash: "sha256" }, base64(sealed)));
});

test("RSA-OAEP", () => {
  const { pkcs8, spki, sealed } = MADE.rsa;
  assert.equal(privateDecrypt(pkcs8, base64(sealed)).toString(), "data");
  assert.equal(privateDecrypt(pkcs8, publicEncrypt(spki, OTHER)).toString(), "other");
  assert.throws(() => privateDecrypt(pkcs8, Buffer.alloc(128)));
});

test("ECDSA in both encodings", () => {
  for (const [{ pkcs8, sec1, spki, signature }, hash] of [[MADE.ec, "sha256"], [MADE.ec384, "sha384"]]) {
    assert.equal(verify(hash, DATA, spki, base64(signature)), true);
    assert.equal(verify(hash, OTHER, spki, base64(signature)), false);
    for (const key of [sec1, pkcs8 ?? sec1]) {
      assert.equal(verify(hash, DATA, spki, sign(hash, DATA, key)), true);
      assert.equal(createVerify(hash).update(DATA).verify(createPublicKey(key), createSign(hash).update(DATA).sign(key)), true);
    }
  }
  const { sec1, spki, raw } = MADE.ec;
  const dsaEncoding = "ieee-p1363";
  assert.equal(verify("sha256", DATA, { key: spki, dsaEncoding }, base64(raw)), true);
  assert.equal(verify("sha256", DATA, { key: spki, dsaEncoding: "der" }, base64(raw)), false);
  assert.equal(sign("sha256", DATA, { key: sec1, dsaEncoding }).length, 64);
  assert.throws(() => sign("sha256", DATA, { key: sec1, dsaEncoding: "no-such" }));
  // Numbers of every length, with and without a sign.
  for (let i = 0; i < 40; i++) assert.equal(verify("sha256", Buffer.from([i]), spki, sign("sha256", Buffer.from([i]), sec1)), true);
});

test("Ed25519", () => {
  const { pkcs8, spki, signature } = MADE.ed;
  assert.equal(sign(null, DATA, pkcs8).toString("base64"), signature);
  assert.equal(verify(undefined, DATA, spki, base64(signature)), true);
  assert.equal(verify(null, OTHER, spki, base64(signature)), false);
});

test("keys go out as they came in", () => {
  const { rsa, ec, ec384, ed } = MADE;
  const out = (key, type) => key.export({ type, format: "pem" });
  assert.equal(out(createPrivateKey(rsa.pkcs1), "pkcs8"), rsa.pkcs8);
  assert.equal(out(createPrivateKey(rsa.pkcs8), "pkcs1"), rsa.pkcs1);
  assert.equal(out(createPublicKey(rsa.publicPkcs1), "spki"), rsa.spki);
  assert.equal(out(createPublicKey(rsa.pkcs8), "pkcs1"), rsa.publicPkcs1);
  assert.equal(out(createPublicKey(ec.sec1), "spki"), ec.spki);
  assert.equal(out(createPublicKey(ec384.sec1), "spki"), ec384.spki);
  assert.equal(out(createPublicKey(ed.pkcs8), "spki"), ed.spki);
  assert.equal(out(createPrivateKey(ed.pkcs8), "pkcs8"), ed.pkcs8);
  assert.equal(createPrivateKey(createPrivateKey(ec.sec1).export({ type: "pkcs8", format: "pem" })).equals(createPrivateKey(ec.pkcs8)), true);
  const der = createPublicKey(ec.spki).export({ type: "spki", format: "der" });
  assert.equal(createPublicKey({ key: der, type: "spki", format: "der" }).equals(createPublicKey(ec.spki)), true);
  const { kty, crv, x, y, d } = createPrivateKey(ec.pkcs8).export({ format: "jwk" });
  assert.deepEqual({ kty, crv, x, y, d }, { kty: "EC", crv: "P-256", x: ec.jwk.x, y: ec.jwk.y, d: ec.jwk.d });
  assert.equal(createPublicKey({ key: ed.jwk, format: "jwk" }).equals(createPublicKey(ed.spki)), true);
  assert.equal(createPrivateKey({ key: ec.jwk, format: "jwk" }).equals(createPrivateKey(ec.sec1)), true);
});

test("what a key tells", () => {
  const { rsa, ec, ed } = MADE;
  const key = createPublicKey(rsa.spki);
  assert.equal(key instanceof KeyObject, true);
  assert.deepEqual([key.type, key.asymmetricKeyType, key.asymmetricKeyDetails.modulusLength, key.asymmetricKeyDetails.publicExponent], ["public", "rsa", 1024, 65537n]);
  const curve = createPrivateKey(ec.sec1);
  assert.deepEqual([curve.type, curve.asymmetricKeyType, curve.asymmetricKeyDetails.namedCurve], ["private", "ec", "prime256v1"]);
  assert.equal(createPublicKey(ed.spki).asymmetricKeyType, "ed25519");
  assert.equal(createSecretKey(DATA).symmetricKeySize, 4);
  assert.equal(createPublicKey(ed.spki).equals(createPublicKey(ed.pkcs8)), true);
  assert.equal(createPublicKey(ed.spki).equals(createPrivateKey(ed.pkcs8)), false);
});

for (const [type, options, algorithm] of [["rsa", { modulusLength: 1024 }, "sha256"], ["ec", { namedCurve: "P-256" }, "sha256"], ["ec", { namedCurve: "secp384r1" }, "sha384"], ["ed25519", undefined, null]]) {
  test(`generateKeyPair ${type} ${options?.namedCurve ?? ""}`, async () => {
    const { publicKey, privateKey } = generateKeyPairSync(type, options);
    assert.equal(verify(algorithm, DATA, publicKey, sign(algorithm, DATA, privateKey)), true);
    const pem = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } };
    const [open, secret] = await new Promise((done, failed) => generateKeyPair(type, { ...options, ...pem }, (error, ...keys) => (error ? failed(error) : done(keys))));
    assert.match(open, /^-----BEGIN PUBLIC KEY-----\n/);
    assert.equal(verify(algorithm, DATA, open, sign(algorithm, DATA, secret)), true);
    assert.equal(verify(algorithm, DATA, publicKey, sign(algorithm, DATA, secret)), false);
  });
}

test("generateKeyPair, sign and verify without waiting", async () => {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const signature = await promisify(sign)("sha256", DATA, privateKey);
  assert.equal(await promisify(verify)("sha256", DATA, publicKey, signature), true);
});

test("misuse is refused", () => {
  const { rsa, ed } = MADE;
  assert.throws(() => createPrivateKey("no key"));
  assert.throws(() => createPublicKey("no key"));
  assert.throws(() => createPrivateKey(5), { class: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => sign("sha256", DATA, createPublicKey(rsa.spki)));
  assert.throws(() => sign("sha256", DATA, rsa.spki));
  assert.throws(() => sign("no-such-hash", DATA, rsa.pkcs8));
  assert.throws(() => sign("sha256", DATA, ed.pkcs8));
  assert.throws(() => createSign("no-such-hash"));
  assert.throws(() => generateKeyPairSync("no-such-type"));
  assert.throws(() => generateKeyPairSync("rsa", {}), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => generateKeyPairSync("ec", { namedCurve: "no-such-curve" }));
  assert.throws(() => createPublicKey(rsa.spki).export({ format: "pem" }));
  assert.throws(() => createHmac("sha256", createPrivateKey(rsa.pkcs8)));
  const signing = createSign("sha256").update(DATA);
  signing.sign(rsa.pkcs8);
  assert.throws(() => signing.sign(rsa.pkcs8));
});
