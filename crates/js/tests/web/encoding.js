test('TextEncoder gives UTF-8', () => {
  const encoder = new TextEncoder();
  equal(encoder.encoding, 'utf-8');
  equal(encoder.encode('aé€😀'), new Uint8Array([97, 195, 169, 226, 130, 172, 240, 159, 152, 128]));
  equal(encoder.encode(), new Uint8Array(0));
  equal(encoder.encode('\ud800x\udc00'), new Uint8Array([239, 191, 189, 120, 239, 191, 189]));
  equal(encoder.encode(null), new Uint8Array([110, 117, 108, 108]));
});
test('encodeInto does not split characters', () => {
  const bytes = new Uint8Array(5);
  equal(new TextEncoder().encodeInto('a€€', bytes), { read: 2, written: 4 });
  equal(bytes, new Uint8Array([97, 226, 130, 172, 0]));
  equal(new TextEncoder().encodeInto('😀', new Uint8Array(8)), { read: 2, written: 4 });
  equal(new TextEncoder().encodeInto('😀', new Uint8Array(3)), { read: 0, written: 0 });
  equal(new TextEncoder().encodeInto('abc', new Uint8Array(0)), { read: 0, written: 0 });
  throws(() => new TextEncoder().encodeInto('a', []), 'TypeError');
});
test('TextDecoder decodes buffers and views', () => {
  const bytes = new TextEncoder().encode('xé€y');
  equal(new TextDecoder().decode(bytes), 'xé€y');
  equal(new TextDecoder().decode(bytes.buffer), 'xé€y');
  equal(new TextDecoder().decode(new DataView(bytes.buffer, 1, 2)), 'é');
  equal(new TextDecoder().decode(bytes.subarray(1, 3)), 'é');
  equal(new TextDecoder().decode(), '');
  equal(new TextDecoder().decode(new Uint8Array([97, 255, 98])), 'a\ufffdb');
  throws(() => new TextDecoder().decode('text'), 'TypeError');
});
test('TextDecoder: fatal, byte order mark, labels', () => {
  throws(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])), 'TypeError', 'not valid for encoding utf-8');
  equal(new TextDecoder('utf8', { fatal: true }).decode(new Uint8Array([97])), 'a');
  equal(new TextDecoder().decode(new Uint8Array([239, 187, 191, 97])), 'a');
  equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([239, 187, 191, 97])), '\ufeffa');
  equal(new TextDecoder('latin1').encoding, 'windows-1252');
  equal(new TextDecoder('latin1').decode(new Uint8Array([0x80, 0xe9])), '€é');
  equal(new TextDecoder('utf-16le').decode(new Uint8Array([0xac, 0x20])), '€');
  equal(new TextDecoder('shift_jis').decode(new Uint8Array([0x83, 0x65])), 'テ');
  throws(() => new TextDecoder('nope'), 'RangeError', 'nope');
});
test('TextDecoder keeps a split character between chunks', () => {
  const decoder = new TextDecoder();
  equal(decoder.decode(new Uint8Array([226, 130]), { stream: true }), '');
  equal(decoder.decode(new Uint8Array([172, 97]), { stream: true }), '€a');
  equal(decoder.decode(new Uint8Array([226]), { stream: true }), '');
  equal(decoder.decode(), '\ufffd');
  equal(decoder.decode(new Uint8Array([98])), 'b');
});
test('atob and btoa', () => {
  equal(btoa('hello'), 'aGVsbG8=');
  equal(atob('aGVsbG8='), 'hello');
  equal(atob(' aGVs\nbG8 '), 'hello');
  equal(atob('aGVsbG8'), 'hello');
  equal(btoa('\xff\xfe'), '//4=');
  equal(atob('//4='), '\xff\xfe');
  equal(btoa(''), '');
  equal(btoa(12), 'MTI=');
  throws(() => atob('a'), 'InvalidCharacterError');
  throws(() => atob('****'), 'InvalidCharacterError');
  equal(throws(() => btoa('€'), 'InvalidCharacterError') instanceof DOMException, true);
  throws(() => atob(), 'TypeError');
});
