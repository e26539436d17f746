// Node 20's own output.
const buffer = node('buffer');
const { Buffer } = buffer;
const { inspect } = node('util');
const SHOWN = [
  [() => (Buffer.from('héllo €𝄞')), "<Buffer 68 c3 a9 6c 6c 6f 20 e2 82 ac f0 9d 84 9e>"],
  [() => (Buffer.from('héllo €𝄞').toString()), "'héllo €𝄞'"],
  [() => (Buffer.from('héllo', 'latin1').toString('hex')), "'68e96c6c6f'"],
  [() => (Buffer.from('€', 'latin1').toString('hex')), "'ac'"],
  [() => (Buffer.from('héllo', 'ascii').toString('ascii')), "'hillo'"],
  [() => (Buffer.from('héllo', 'utf16le').toString('hex')), "'6800e9006c006c006f00'"],
  [() => (Buffer.from('68656c6c6f', 'hex').toString()), "'hello'"],
  [() => (Buffer.from('68zz6c', 'hex').length), "1"],
  [() => (Buffer.from('abc', 'hex').toString('hex')), "'ab'"],
  [() => (Buffer.from('aGVsbG8=', 'base64').toString()), "'hello'"],
  [() => (Buffer.from('aGVs bG8', 'base64').toString()), "'hello'"],
  [() => (Buffer.from('_-__', 'base64').toString('hex')), "'ffefff'"],
  [() => (Buffer.from('aGVsbG8=extra', 'base64').toString()), "'hello'"],
  [() => (Buffer.from([251, 255, 191]).toString('base64url')), "'-_-_'"],
  [() => (Buffer.from([251, 255]).toString('base64')), "'+/8='"],
  [() => (Buffer.from([0xe2, 0x82]).toString()), "'�'"],
  [() => (Buffer.from([0xff, 0x41, 0xef, 0xbb, 0xbf]).toString()), "'�A﻿'"],
  [() => (Buffer.from([0xef, 0xbb, 0xbf, 0x41]).toString().length), "2"],
  [() => (Buffer.from('a\ud800b').toString('hex')), "'61efbfbd62'"],
  [() => (Buffer.from([256, -1, 1.9, 'x', '5'])), "<Buffer 00 ff 01 00 05>"],
  [() => (Buffer.from({length: 2, 0: 1, 1: 2})), "<Buffer 01 02>"],
  [() => (Buffer.from(JSON.parse(JSON.stringify(Buffer.from('ab'))))), "<Buffer 61 62>"],
  [() => (JSON.stringify(Buffer.from('ab'))), "'{\"type\":\"Buffer\",\"data\":[97,98]}'"],
  [() => (Buffer.from(new String('boxed')).toString()), "'boxed'"],
  [() => (Buffer.from(new Uint16Array([1, 258]))), "<Buffer 01 02>"],
  [() => (Buffer.from(new Uint16Array([1, 258]).buffer)), "<Buffer 01 00 02 01>"],
  [() => (Buffer.from(new Uint8Array([1,2,3,4]).buffer, 1, 2)), "<Buffer 02 03>"],
  [() => (Buffer.from(5)), "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received type number (5)"],
  [() => (Buffer.from(null)), "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received null"],
  [() => (Buffer.from({})), "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received an instance of Object"],
  [() => (Buffer.from(undefined)), "TypeError: The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received undefined"],
  [() => (Buffer.from('x', 'nope')), "TypeError: Unknown encoding: nope"],
  [() => (Buffer.alloc(5, 'ab')), "<Buffer 61 62 61 62 61>"],
  [() => (Buffer.alloc(3, 1)), "<Buffer 01 01 01>"],
  [() => (Buffer.alloc(4, 'YQ==', 'base64')), "<Buffer 61 61 61 61>"],
  [() => (Buffer.alloc('5')), "TypeError: The \"size\" argument must be of type number. Received type string ('5')"],
  [() => (Buffer.allocUnsafe(2).length), "2"],
  [() => (Buffer.concat([Buffer.from('a'), new Uint8Array([98]), Buffer.from('c')]).toString()), "'abc'"],
  [() => (Buffer.concat([Buffer.from('abc')], 2).toString()), "'ab'"],
  [() => (Buffer.concat([Buffer.from('a')], 3)), "<Buffer 61 00 00>"],
  [() => (Buffer.concat('x')), "TypeError: The \"list\" argument must be an instance of Array. Received type string ('x')"],
  [() => (Buffer.concat(['x'])), "TypeError: The \"list[0]\" argument must be an instance of Buffer or Uint8Array. Received type string ('x')"],
  [() => (Buffer.byteLength('€')), "3"],
  [() => (Buffer.byteLength('aGVsbG8=', 'base64')), "5"],
  [() => (Buffer.byteLength('abcd', 'hex')), "2"],
  [() => (Buffer.byteLength(new ArrayBuffer(3))), "3"],
  [() => (Buffer.byteLength(3)), "TypeError: The \"string\" argument must be of type string or an instance of Buffer or ArrayBuffer. Received type number (3)"],
  [() => (Buffer.compare(Buffer.from('a'), Buffer.from('b'))), "-1"],
  [() => (Buffer.compare(Buffer.from('ab'), Buffer.from('a'))), "1"],
  [() => (Buffer.from('abcdef').compare(Buffer.from('cd'), 0, 2, 2, 4)), "0"],
  [() => (Buffer.from('ab').equals(new Uint8Array([97, 98]))), "true"],
  [() => (Buffer.from('ab').equals('ab')), "TypeError: The \"otherBuffer\" argument must be an instance of Buffer or Uint8Array. Received type string ('ab')"],
  [() => (Buffer.from('abcdef').slice(1, -2).toString()), "'bcd'"],
  [() => (Buffer.from('abcdef').subarray(-3).toString()), "'def'"],
  [() => ((()=>{const b=Buffer.from('abc'); b.slice(1)[0]=120; return b.toString()})()), "'axc'"],
  [() => (Buffer.from('abc').slice(2, 1).length), "0"],
  [() => (Buffer.from('abc').toString('utf8', 1, 2)), "'b'"],
  [() => (Buffer.from('abc').toString('utf8', -5, 99)), "'abc'"],
  [() => (Buffer.from('abc').toString('nope')), "TypeError: Unknown encoding: nope"],
  [() => ((()=>{const b=Buffer.alloc(4); return [b.write('€€'), b]})()), "[ 3, <Buffer e2 82 ac 00> ]"],
  [() => ((()=>{const b=Buffer.alloc(6); return [b.write('abc', 1), b.write('ff', 4, 'hex'), b]})()), "[ 3, 1, <Buffer 00 61 62 63 ff 00> ]"],
  [() => ((()=>{const b=Buffer.alloc(3); return [b.write('ab', 0, 3, 'utf16le'), b]})()), "[ 2, <Buffer 61 00 00> ]"],
  [() => (Buffer.alloc(2).write('a', 3)), "RangeError: The value of \"offset\" is out of range. It must be >= 0 && <= 2. Received 3"],
  [() => (Buffer.alloc(2).write(5)), "TypeError: argument must be a string"],
  [() => ((()=>{const b=Buffer.alloc(4); return [Buffer.from('abcd').copy(b, 1, 2), b]})()), "[ 2, <Buffer 00 63 64 00> ]"],
  [() => (Buffer.from('abc').copy(Buffer.alloc(1), 5)), "0"],
  [() => (Buffer.alloc(6).fill('abcd').toString()), "'abcdab'"],
  [() => (Buffer.alloc(3).fill(258)), "<Buffer 02 02 02>"],
  [() => (Buffer.alloc(4).fill('é')), "<Buffer c3 a9 c3 a9>"],
  [() => (Buffer.alloc(4).fill('zz', 'hex')), "TypeError: The argument 'value' is invalid. Received 'zz'"],
  [() => (Buffer.alloc(4).fill(1, 1, 3)), "<Buffer 00 01 01 00>"],
  [() => (Buffer.alloc(4).fill(1, 5)), "<Buffer 00 00 00 00>"],
  [() => (Buffer.from('this is a buffer').indexOf('is')), "2"],
  [() => (Buffer.from('this is a buffer').indexOf('is', 3)), "5"],
  [() => (Buffer.from('this is a buffer').lastIndexOf('is')), "5"],
  [() => (Buffer.from('this is a buffer').lastIndexOf('is', 4)), "2"],
  [() => (Buffer.from('this is a buffer').indexOf(97)), "8"],
  [() => (Buffer.from('this is a buffer').indexOf(Buffer.from('buffer example'))), "-1"],
  [() => (Buffer.from('abc').indexOf('')), "0"],
  [() => (Buffer.from('abc').lastIndexOf('c', -1)), "2"],
  [() => (Buffer.from('abc').indexOf('c', -5)), "2"],
  [() => (Buffer.from('abc').includes('bc')), "true"],
  [() => (Buffer.from('abc').indexOf({})), "TypeError: The \"value\" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an instance of Object"],
  [() => (Buffer.from('\u039a\u0391\u03a3\u03a3\u0395', 'utf16le').indexOf('\u03a3', -4, 'utf16le')), "6"],
  [() => (Buffer.from([1,2,3,4]).readUInt16BE(1)), "515"],
  [() => (Buffer.from([1,2,3,4]).readUInt16LE(1)), "770"],
  [() => (Buffer.from([255,254,253,252]).readInt32BE()), "-66052"],
  [() => (Buffer.from([255,254,253,252]).readUInt32LE()), "4244504319"],
  [() => (Buffer.from([1,2,3,4]).readUInt32LE(1)), "RangeError: The value of \"offset\" is out of range. It must be >= 0 and <= 0. Received 1"],
  [() => (Buffer.from([1]).readUInt32LE()), "RangeError: Attempt to access memory outside buffer bounds"],
  [() => (Buffer.from([1,2,3,4]).readUInt8('1')), "TypeError: The \"offset\" argument must be of type number. Received type string ('1')"],
  [() => (Buffer.from([1,2,3,4]).readUInt8(1.5)), "RangeError: The value of \"offset\" is out of range. It must be an integer. Received 1.5"],
  [() => (Buffer.from([1,2,3,4]).readInt8(4)), "RangeError: The value of \"offset\" is out of range. It must be >= 0 and <= 3. Received 4"],
  [() => (Buffer.from([1,2,3,4,5,6]).readUIntBE(0, 6)), "1108152157446"],
  [() => (Buffer.from([255,255,255,255,255,1]).readIntLE(0, 6)), "2199023255551"],
  [() => (Buffer.from([255,255,255,255,255,255]).readIntBE(0, 6)), "-1"],
  [() => (Buffer.from([1,2,3]).readUIntBE(0, 7)), "RangeError: The value of \"byteLength\" is out of range. It must be >= 1 and <= 6. Received 7"],
  [() => (Buffer.from([1,2,3,4,5,6,7,8]).readBigUInt64BE()), "72623859790382856n"],
  [() => (Buffer.from([255,255,255,255,255,255,255,254]).readBigInt64BE()), "-2n"],
  [() => (Buffer.from([0,0,128,63]).readFloatLE()), "1"],
  [() => (Buffer.from([0,0,0,0,0,0,240,63]).readDoubleLE()), "1"],
  [() => ((()=>{const b=Buffer.alloc(8); return [b.writeUInt32BE(0xdeadbeef), b.writeInt16LE(-2, 4), b.writeUInt8(255, 6), b.writeInt8(-1, 7), b]})()), "[ 4, 6, 7, 8, <Buffer de ad be ef fe ff ff ff> ]"],
  [() => ((()=>{const b=Buffer.alloc(8); return [b.writeBigInt64LE(-2n), b]})()), "[ 8, <Buffer fe ff ff ff ff ff ff ff> ]"],
  [() => ((()=>{const b=Buffer.alloc(8); return [b.writeUIntBE(0x123456789abc, 0, 6), b.writeIntLE(-5, 6, 2), b]})()), "[ 6, 8, <Buffer 12 34 56 78 9a bc fb ff> ]"],
  [() => ((()=>{const b=Buffer.alloc(8); return [b.writeDoubleBE(1.5), b]})()), "[ 8, <Buffer 3f f8 00 00 00 00 00 00> ]"],
  [() => (Buffer.alloc(1).writeUInt8(256)), "RangeError: The value of \"value\" is out of range. It must be >= 0 and <= 255. Received 256"],
  [() => (Buffer.alloc(2).writeInt16BE(40000)), "RangeError: The value of \"value\" is out of range. It must be >= -32768 and <= 32767. Received 40000"],
  [() => (Buffer.alloc(4).writeUInt32BE(-1)), "RangeError: The value of \"value\" is out of range. It must be >= 0 and <= 4294967295. Received -1"],
  [() => (Buffer.alloc(4).writeInt32LE(2 ** 31)), "RangeError: The value of \"value\" is out of range. It must be >= -2147483648 and <= 2147483647. Received 2147483648"],
  [() => (Buffer.alloc(8).writeBigUInt64BE(-1n)), "RangeError: The value of \"value\" is out of range. It must be >= 0n and < 2n ** 64n. Received -1n"],
  [() => (Buffer.alloc(8).writeUIntBE(2 ** 48, 0, 6)), "RangeError: The value of \"value\" is out of range. It must be >= 0 and < 2 ** 48. Received 281_474_976_710_656"],
  [() => (Buffer.from([1,2,3,4]).swap16()), "<Buffer 02 01 04 03>"],
  [() => (Buffer.from([1,2,3,4]).swap32()), "<Buffer 04 03 02 01>"],
  [() => (Buffer.from([1,2,3]).swap16()), "RangeError: Buffer size must be a multiple of 16-bits"],
  [() => (Buffer.isBuffer(new Uint8Array(1))), "false"],
  [() => (Buffer.isBuffer(Buffer.alloc(1))), "true"],
  [() => ([Buffer.isEncoding('UTF-8'), Buffer.isEncoding('x'), Buffer.isEncoding('Base64url')]), "[ true, false, true ]"],
  [() => (Buffer.of(1, 2)), "<Buffer 01 02>"],
  [() => (Buffer.alloc(60, 1)), "<Buffer 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 ... 10 more bytes>"],
  [() => (Buffer.alloc(0)), "<Buffer >"],
  [() => (Buffer.from('abc').map((x) => x + 1)), "<Buffer 62 63 64>"],
  [() => (Buffer.from('abc').map((x) => x + 1).toString()), "'bcd'"],
  [() => (Buffer.from('cab').sort().toString()), "'abc'"],
  [() => ([...Buffer.from('ab').entries()]), "[ [ 0, 97 ], [ 1, 98 ] ]"],
  [() => (Buffer.from('abc').toString('binary')), "'abc'"],
  [() => (Buffer('abc').toString()), "'abc'"],
  [() => (new Buffer(2).length), "2"],
  [() => (Object.prototype.toString.call(Buffer.alloc(1))), "'[object Uint8Array]'"],
  [() => (Buffer.from('ab') instanceof Uint8Array), "true"],
  [() => (Buffer.copyBytesFrom(new Uint16Array([1,2]), 1)), "<Buffer 02 00>"],
  [() => (buffer.isUtf8(Buffer.from([0xc3, 0x28]))), "false"],
  [() => (buffer.isAscii(Buffer.from('é'))), "false"],
  [() => (buffer.transcode(Buffer.from('€'), 'utf8', 'ascii')), "<Buffer 3f>"],
  [() => (buffer.transcode(Buffer.from('é'), 'utf8', 'latin1')), "<Buffer e9>"],
  [() => (buffer.kMaxLength > 1000), "true"],
  [() => (buffer.atob('YQ==') + buffer.btoa('a')), "'aYQ=='"],
  [() => (Buffer.from('abc').at(-1)), "99"],
  [() => (String(Buffer.from('hi'))), "'hi'"],
  [() => ('' + Buffer.from('hi')), "'hi'"],
  [() => (Buffer.from('test').readUintLE(0, 3)), "7562612"],
];
test('buffer gives what Node gives', () => {
  const wrong = [];
  for (const [make, expected] of SHOWN) {
    let shown;
    try { shown = inspect(make()) } catch (error) { shown = `${error.name}: ${error.message}` }
    if (shown !== expected) wrong.push(`${make}\n  expected ${expected}\n  got      ${shown}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
});
test('memory is shared and detached buffers are refused', () => {
  const whole = new ArrayBuffer(4);
  const bytes = Buffer.from(whole);
  bytes[0] = 7;
  equal(new Uint8Array(whole)[0], 7);
  structuredClone(whole, { transfer: [whole] });
  equal(bytes.length, 0);
  equal(bytes.toString(), '');
});
test('large texts go both ways', () => {
  const text = 'aé€𝄞'.repeat(50000);
  for (const encoding of ['utf8', 'utf16le']) equal(Buffer.from(text, encoding).toString(encoding) === text, true, encoding);
  const bytes = Buffer.alloc(100000, 'pattern');
  for (const encoding of ['hex', 'base64', 'base64url', 'latin1']) equal(Buffer.from(bytes.toString(encoding), encoding).equals(bytes), true, encoding);
});
test('a search that nearly matches everywhere ends soon', () => {
  const hay = Buffer.alloc(2e6, 'a');
  const needle = Buffer.concat([Buffer.alloc(1e6, 'a'), Buffer.from('b')]);
  equal(hay.indexOf(needle), -1);
  equal(hay.lastIndexOf(needle), -1);
});
test('what the module exports', () => {
  equal(buffer.Blob === Blob, true);
  throws(() => buffer.resolveObjectURL('x'), 'Error', 'node:buffer resolveObjectURL is not implemented in Dolmen');
  buffer.INSPECT_MAX_BYTES = 2;
  equal(inspect(Buffer.from('abc')), '<Buffer 61 62 ... 1 more byte>');
  buffer.INSPECT_MAX_BYTES = 50;
});
test('the globals are built when they are used, and give way', () => {
  node('globals');
  equal(globalThis.Buffer === Buffer, true);
  equal(Object.getOwnPropertyDescriptor(globalThis, 'Buffer').enumerable, false);
  globalThis.process = { mine: true };
  equal(process.mine, true);
  equal(global === globalThis, true);
  equal(typeof setImmediate, 'function');
});
