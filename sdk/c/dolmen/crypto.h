// SHA-256 and SHA-512 (FIPS 180-4), HMAC (FIPS 198-1), AES-256 (FIPS 197) and GCM (SP 800-38D).
//
// No address and no branch depends on a secret. The S-box is read by v128 swizzles over the whole of it,
// and GHASH multiplies with integers whose bits lie four apart, so that carries fall into the gaps.

#include <wasm_simd128.h>

static uint32_t do_load32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

static uint64_t do_load64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return __builtin_bswap64(value);
}

static void do_store32(uint8_t *at, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(at, &value, 4);
}

static void do_store64(uint8_t *at, uint64_t value) {
  value = __builtin_bswap64(value);
  memcpy(at, &value, 8);
}

// ---- SHA-256 ----

static const uint32_t do_sha256_rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

typedef struct do_sha256_state {
  uint32_t words[8];
  uint8_t block[64];
  uint32_t held; // bytes in the block
  uint64_t size; // bytes in all
} do_sha256_state;

static uint32_t do_right32(uint32_t value, int by) { return value >> by | value << (32 - by); }

static void do_sha256_block(uint32_t state[8], const uint8_t *block) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) w[i] = do_load32(block + 4 * i);
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (do_right32(a, 7) ^ do_right32(a, 18) ^ a >> 3) + w[i - 7] + (do_right32(b, 17) ^ do_right32(b, 19) ^ b >> 10);
  }
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t e = s[4], a = s[0];
    uint32_t one = s[7] + (do_right32(e, 6) ^ do_right32(e, 11) ^ do_right32(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + do_sha256_rounds[i] + w[i];
    uint32_t two = (do_right32(a, 2) ^ do_right32(a, 13) ^ do_right32(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += one;
    s[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void do_sha256_begin(do_sha256_state *state) {
  static const uint32_t first[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  };
  *state = (do_sha256_state){.held = 0};
  memcpy(state->words, first, sizeof first);
}

static void do_sha256_more(do_sha256_state *state, const uint8_t *bytes, uint32_t size) {
  state->size += size;
  while (size > 0) {
    uint32_t part = 64 - state->held < size ? 64 - state->held : size;
    memcpy(state->block + state->held, bytes, part);
    state->held += part;
    bytes += part;
    size -= part;
    if (state->held == 64) {
      do_sha256_block(state->words, state->block);
      state->held = 0;
    }
  }
}

static void do_sha256_end(do_sha256_state *state, uint8_t digest[32]) {
  static const uint8_t padding[64] = {0x80};
  uint8_t bits[8];
  do_store64(bits, state->size * 8);
  do_sha256_more(state, padding, (119 - state->held) % 64 + 1);
  do_sha256_more(state, bits, 8);
  for (int i = 0; i < 8; i++) do_store32(digest + 4 * i, state->words[i]);
}

void do_sha256(do_text bytes, uint8_t digest[32]) {
  do_sha256_state state;
  do_sha256_begin(&state);
  do_sha256_more(&state, (const uint8_t *)bytes.data, bytes.size);
  do_sha256_end(&state, digest);
}

void do_hmac_sha256(do_text key, do_text bytes, uint8_t mac[32]) {
  uint8_t block[64] = {0}, inner[64], outer[64];
  if (key.size > 64) do_sha256(key, block);
  else memcpy(block, key.data, key.size);
  for (int i = 0; i < 64; i++) {
    inner[i] = block[i] ^ 0x36;
    outer[i] = block[i] ^ 0x5c;
  }
  do_sha256_state state;
  do_sha256_begin(&state);
  do_sha256_more(&state, inner, 64);
  do_sha256_more(&state, (const uint8_t *)bytes.data, bytes.size);
  do_sha256_end(&state, mac);
  do_sha256_begin(&state);
  do_sha256_more(&state, outer, 64);
  do_sha256_more(&state, mac, 32);
  do_sha256_end(&state, mac);
}

// ---- SHA-512 ----

static const uint64_t do_sha512_rounds[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static uint64_t do_right64(uint64_t value, int by) { return value >> by | value << (64 - by); }

static void do_sha512_block(uint64_t state[8], const uint8_t *block) {
  uint64_t w[80], s[8];
  for (int i = 0; i < 16; i++) w[i] = do_load64(block + 8 * i);
  for (int i = 16; i < 80; i++) {
    uint64_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (do_right64(a, 1) ^ do_right64(a, 8) ^ a >> 7) + w[i - 7] + (do_right64(b, 19) ^ do_right64(b, 61) ^ b >> 6);
  }
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 80; i++) {
    uint64_t e = s[4], a = s[0];
    uint64_t one = s[7] + (do_right64(e, 14) ^ do_right64(e, 18) ^ do_right64(e, 41)) + ((e & s[5]) ^ (~e & s[6])) + do_sha512_rounds[i] + w[i];
    uint64_t two = (do_right64(a, 28) ^ do_right64(a, 34) ^ do_right64(a, 39)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    memmove(s + 1, s, 7 * sizeof *s);
    s[4] += one;
    s[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

void do_sha512(do_text bytes, uint8_t digest[64]) {
  uint64_t state[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
  };
  uint32_t whole = bytes.size & ~127u, rest = bytes.size & 127u;
  for (uint32_t at = 0; at < whole; at += 128) do_sha512_block(state, (const uint8_t *)bytes.data + at);
  // The rest, a bit, zeros, and the size in bits in the last 16 bytes.
  uint8_t last[256] = {0};
  uint32_t size = rest < 112 ? 128 : 256;
  memcpy(last, bytes.data + whole, rest);
  last[rest] = 0x80;
  do_store64(last + size - 8, (uint64_t)bytes.size * 8);
  for (uint32_t at = 0; at < size; at += 128) do_sha512_block(state, last + at);
  for (int i = 0; i < 8; i++) do_store64(digest + 8 * i, state[i]);
}

// ---- AES-256 ----

#define DO_AES_ROUNDS 14

static const uint8_t do_sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};

typedef struct do_aes {
  v128_t keys[DO_AES_ROUNDS + 1];
} do_aes;

// A swizzle answers 0 for an index that is not in its row, so one row of the 16 has the byte.
static v128_t do_substitute(v128_t bytes) {
  v128_t result = wasm_i8x16_splat(0), index = bytes;
  for (int row = 0; row < 16; row++) {
    result = wasm_v128_or(result, wasm_i8x16_swizzle(wasm_v128_load(do_sbox + 16 * row), index));
    index = wasm_i8x16_sub(index, wasm_i8x16_splat(16));
  }
  return result;
}

static v128_t do_times2(v128_t bytes) {
  v128_t carry = wasm_v128_and(wasm_i8x16_shr(bytes, 7), wasm_i8x16_splat(0x1b));
  return wasm_v128_xor(wasm_i8x16_shl(bytes, 1), carry);
}

static v128_t do_mix_columns(v128_t a) {
  v128_t next = wasm_i8x16_shuffle(a, a, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
  v128_t both = wasm_v128_xor(a, next);
  v128_t second = wasm_i8x16_shuffle(both, both, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return wasm_v128_xor(wasm_v128_xor(do_times2(both), next), second);
}

static v128_t do_aes_block(const do_aes *aes, v128_t block) {
  block = wasm_v128_xor(block, aes->keys[0]);
  for (int round = 1; round <= DO_AES_ROUNDS; round++) {
    block = do_substitute(block);
    block = wasm_i8x16_shuffle(block, block, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11);
    if (round < DO_AES_ROUNDS) block = do_mix_columns(block);
    block = wasm_v128_xor(block, aes->keys[round]);
  }
  return block;
}

static void do_aes_prepare(do_aes *aes, const uint8_t key[32]) {
  uint32_t words[4 * (DO_AES_ROUNDS + 1)];
  uint32_t round_constant = 1;
  memcpy(words, key, 32);
  for (int i = 8; i < 4 * (DO_AES_ROUNDS + 1); i++) {
    uint32_t word = words[i - 1];
    if (i % 4 == 0) {
      // Words are little-endian here, so a rotation by a byte goes to the right.
      if (i % 8 == 0) word = do_right32(word, 8);
      word = wasm_u32x4_extract_lane(do_substitute(wasm_u32x4_splat(word)), 0);
      if (i % 8 == 0) {
        word ^= round_constant;
        round_constant <<= 1;
      }
    }
    words[i] = words[i - 8] ^ word;
  }
  memcpy(aes->keys, words, sizeof words);
}

// ---- GCM ----

typedef struct do_ghash {
  uint64_t key[2], key_reversed[2]; // high half first
  uint64_t sum[2];
} do_ghash;

static uint64_t do_reverse64(uint64_t x) {
  x = (x >> 1 & 0x5555555555555555u) | (x & 0x5555555555555555u) << 1;
  x = (x >> 2 & 0x3333333333333333u) | (x & 0x3333333333333333u) << 2;
  x = (x >> 4 & 0x0f0f0f0f0f0f0f0fu) | (x & 0x0f0f0f0f0f0f0f0fu) << 4;
  return __builtin_bswap64(x);
}

// The low 64 bits of a product without carries. Up to 15 ones meet at a bit, which the three bits above it
// hold with it; 16 meet only at the topmost bits, where the next one is outside.
static uint64_t do_multiply_low(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  for (int i = 0; i < 4; i++) {
    uint64_t sum = 0;
    for (int j = 0; j < 4; j++) {
      sum ^= (a & 0x1111111111111111u << j) * (b & 0x1111111111111111u << ((i - j) & 3));
    }
    result |= sum & 0x1111111111111111u << i;
  }
  return result;
}

// All 128 bits: the high half is the low one of the product of the reversed factors.
static void do_multiply_whole(uint64_t a, uint64_t a_reversed, uint64_t b, uint64_t b_reversed, uint64_t *high, uint64_t *low) {
  *low = do_multiply_low(a, b);
  *high = do_reverse64(do_multiply_low(a_reversed, b_reversed)) >> 1;
}

// sum = sum * key. The first bit of a block is the lowest power, so a product is one bit short of its place.
static void do_ghash_multiply(do_ghash *hash) {
  uint64_t a1 = hash->sum[0], a0 = hash->sum[1], b1 = hash->key[0], b0 = hash->key[1];
  uint64_t r1 = do_reverse64(a1), r0 = do_reverse64(a0), s1 = hash->key_reversed[0], s0 = hash->key_reversed[1];
  uint64_t h1, l1, h0, l0, hm, lm;
  do_multiply_whole(a1, r1, b1, s1, &h1, &l1);
  do_multiply_whole(a0, r0, b0, s0, &h0, &l0);
  do_multiply_whole(a1 ^ a0, r1 ^ r0, b1 ^ b0, s1 ^ s0, &hm, &lm);
  hm ^= h1 ^ h0;
  lm ^= l1 ^ l0;
  uint64_t p3 = h1, p2 = l1 ^ hm, p1 = h0 ^ lm, p0 = l0;
  p3 = p3 << 1 | p2 >> 63;
  p2 = p2 << 1 | p1 >> 63;
  p1 = p1 << 1 | p0 >> 63;
  p0 <<= 1;
  // Modulo x^128 + x^7 + x^2 + x + 1.
  p1 ^= p0 << 63 ^ p0 << 62 ^ p0 << 57;
  p2 ^= p0 ^ p0 >> 1 ^ p0 >> 2 ^ p0 >> 7;
  p2 ^= p1 << 63 ^ p1 << 62 ^ p1 << 57;
  p3 ^= p1 ^ p1 >> 1 ^ p1 >> 2 ^ p1 >> 7;
  hash->sum[0] = p3;
  hash->sum[1] = p2;
}

static void do_ghash_more(do_ghash *hash, const uint8_t *bytes, uint32_t size) {
  while (size > 0) {
    uint8_t block[16] = {0};
    uint32_t part = size < 16 ? size : 16;
    memcpy(block, bytes, part);
    hash->sum[0] ^= do_load64(block);
    hash->sum[1] ^= do_load64(block + 8);
    do_ghash_multiply(hash);
    bytes += part;
    size -= part;
  }
}

static v128_t do_counter(const uint8_t nonce[12], uint32_t number) {
  uint8_t block[16];
  memcpy(block, nonce, 12);
  do_store32(block + 12, number);
  return wasm_v128_load(block);
}

static void do_gcm_tag(const do_aes *aes, const uint8_t nonce[12], do_text extra, const uint8_t *sealed, uint32_t size, uint8_t tag[16]) {
  uint8_t block[16];
  do_ghash hash = {{0}, {0}, {0}};
  wasm_v128_store(block, do_aes_block(aes, wasm_i8x16_splat(0)));
  for (int i = 0; i < 2; i++) {
    hash.key[i] = do_load64(block + 8 * i);
    hash.key_reversed[i] = do_reverse64(hash.key[i]);
  }
  do_ghash_more(&hash, (const uint8_t *)extra.data, extra.size);
  do_ghash_more(&hash, sealed, size);
  do_store64(block, (uint64_t)extra.size * 8);
  do_store64(block + 8, (uint64_t)size * 8);
  do_ghash_more(&hash, block, 16);
  do_store64(block, hash.sum[0]);
  do_store64(block + 8, hash.sum[1]);
  wasm_v128_store(tag, wasm_v128_xor(wasm_v128_load(block), do_aes_block(aes, do_counter(nonce, 1))));
}

static void do_gcm_stream(const do_aes *aes, const uint8_t nonce[12], uint8_t *to, const uint8_t *from, uint32_t size) {
  for (uint32_t number = 2; size > 0; number++) {
    uint8_t block[16] = {0};
    uint32_t part = size < 16 ? size : 16;
    memcpy(block, from, part);
    wasm_v128_store(block, wasm_v128_xor(wasm_v128_load(block), do_aes_block(aes, do_counter(nonce, number))));
    memcpy(to, block, part);
    to += part;
    from += part;
    size -= part;
  }
}

void do_aes256gcm_encrypt(uint8_t *to, const uint8_t key[32], const uint8_t nonce[12], do_text extra, do_text from) {
  do_aes aes;
  do_aes_prepare(&aes, key);
  do_gcm_stream(&aes, nonce, to, (const uint8_t *)from.data, from.size);
  do_gcm_tag(&aes, nonce, extra, to, from.size, to + from.size);
}

bool do_aes256gcm_decrypt(uint8_t *to, const uint8_t key[32], const uint8_t nonce[12], do_text extra, do_text from) {
  if (from.size < DO_TAG_SIZE) return false;
  do_aes aes;
  uint8_t tag[DO_TAG_SIZE];
  uint32_t size = from.size - DO_TAG_SIZE;
  do_aes_prepare(&aes, key);
  do_gcm_tag(&aes, nonce, extra, (const uint8_t *)from.data, size, tag);
  if (!do_equal_secret((do_text){(char *)tag, DO_TAG_SIZE}, do_slice(from, size, from.size))) return false;
  do_gcm_stream(&aes, nonce, to, (const uint8_t *)from.data, size);
  return true;
}
