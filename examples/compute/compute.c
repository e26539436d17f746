// The heavy work of worker.mjs, for WebAssembly. Built with:
//   clang --target=wasm32 -O2 -fno-builtin -nostdlib -Wl,--no-entry -o compute.wasm compute.c

#define EXPORT(name) __attribute__((export_name(name)))

enum { MOST = 4 << 20 };
static unsigned char bytes[MOST];

/// Where the host finds and leaves bytes, at most `capacity()` of them.
EXPORT("buffer") unsigned char *buffer(void) { return bytes; }
EXPORT("capacity") int capacity(void) { return MOST; }

/// How many primes there are below `n`, by the sieve of Eratosthenes.
EXPORT("primes") int primes(int n) {
  if (n > MOST) n = MOST;
  for (int i = 0; i < n; i++) bytes[i] = 1;
  int count = 0;
  for (int i = 2; i < n; i++) {
    if (!bytes[i]) continue;
    count++;
    for (long long j = (long long)i * i; j < n; j += i) bytes[j] = 0;
  }
  return count;
}

/// Steps of a square picture of the Mandelbrot set, `size` points wide, 200 steps at most for each.
EXPORT("mandelbrot") int mandelbrot(int size) {
  int all = 0;
  for (int y = 0; y < size; y++) {
    for (int x = 0; x < size; x++) {
      double cr = 3.0 * x / size - 2.0, ci = 3.0 * y / size - 1.5, r = 0, i = 0;
      int steps = 0;
      while (steps < 200 && r * r + i * i < 4) {
        double next = r * r - i * i + cr;
        i = 2 * r * i + ci;
        r = next;
        steps++;
      }
      all += steps;
    }
  }
  return all;
}

/// FNV-1a of the first `n` bytes of the buffer.
EXPORT("hash") unsigned hash(int n) {
  unsigned h = 0x811c9dc5;
  for (int i = 0; i < n; i++) h = (h ^ bytes[i]) * 0x01000193;
  return h;
}

/// Nothing: what a call costs.
EXPORT("nothing") int nothing(int n) { return n; }
