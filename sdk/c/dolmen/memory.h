// Memory: a heap of blocks for what stays, an arena on it for what an event needs, and buffers.
//
// The arena keeps its first chunk and gives back the others when the host has freed all blocks that it
// asked for in an event, which it does at the end.

#define DO_PAGE 65536u
#define DO_BLOCK_HEADER 8u
#define DO_MIN_BLOCK 16u
#define DO_IN_USE 1u
// Blocks of one bin that are looked at before a larger bin is taken.
#define DO_SEARCH_LIMIT 32
// One page short of 4 GiB, so that addresses do not wrap.
#define DO_MAX_MEMORY 0xffff0000ull
#define DO_CHUNK_SIZE (DO_PAGE - 16u)

// Headers lie 8 bytes before a multiple of 16. The links are there in free blocks only.
typedef struct do_block {
  uint32_t size;   // with the header, a multiple of 16; bit 0: in use
  uint32_t before; // size of the block before it, 0: it is the first
  struct do_block *next, *back;
} do_block;

extern unsigned char __heap_base;
static do_block *do_bins[32];
static uintptr_t do_heap_end;

static uint32_t do_bin(uint32_t size) { return 31u - (uint32_t)__builtin_clz(size); }
static do_block *do_block_after(do_block *block, uint32_t size) { return (do_block *)((uintptr_t)block + size); }

static void do_link_block(do_block *block, uint32_t size) {
  do_block **bin = &do_bins[do_bin(size)];
  block->size = size;
  block->next = *bin;
  block->back = 0;
  if (*bin) (*bin)->back = block;
  *bin = block;
  do_block_after(block, size)->before = size;
}

static void do_unlink_block(do_block *block) {
  if (block->next) block->next->back = block->back;
  if (block->back) block->back->next = block->next;
  else do_bins[do_bin(block->size)] = block->next;
}

static void do_free_block(do_block *block) {
  uint32_t size = block->size & ~DO_IN_USE;
  do_block *after = do_block_after(block, size);
  if (!(after->size & DO_IN_USE)) {
    do_unlink_block(after);
    size += after->size;
  }
  if (block->before) {
    do_block *before = (do_block *)((uintptr_t)block - block->before);
    if (!(before->size & DO_IN_USE)) {
      do_unlink_block(before);
      size += before->size;
      block = before;
    }
  }
  do_link_block(block, size);
}

// Takes pages from the host and makes them a free block. At the end of all is a header that is in use.
static bool do_grow_heap(uint32_t size) {
  uintptr_t memory_end = (uintptr_t)__builtin_wasm_memory_size(0) * DO_PAGE;
  bool first = do_heap_end == 0;
  uintptr_t begin = first ? (((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15) + 8 : do_heap_end - DO_BLOCK_HEADER;
  uint64_t missing = (uint64_t)size + 2 * DO_BLOCK_HEADER + 16;
  if (!first && do_heap_end != memory_end) {
    // Someone else has grown the memory: a region of its own begins there.
    begin = memory_end + 8;
    first = true;
  }
  if (memory_end > begin + missing) missing = 0;
  uint64_t pages = (missing + DO_PAGE - 1) / DO_PAGE;
  if (memory_end + pages * DO_PAGE >= DO_MAX_MEMORY) return false;
  if (pages && __builtin_wasm_memory_grow(0, (uint32_t)pages) == (size_t)-1) return false;
  do_heap_end = memory_end + (uintptr_t)pages * DO_PAGE;
  do_block *block = (do_block *)begin;
  if (first) block->before = 0;
  // The last header ends where the memory ends, so it too lies 8 bytes before a multiple of 16.
  do_block *last = (do_block *)(do_heap_end - DO_BLOCK_HEADER);
  last->size = DO_IN_USE;
  block->size = (uint32_t)((uintptr_t)last - begin) | DO_IN_USE;
  do_free_block(block);
  return true;
}

static do_block *do_find_block(uint32_t size) {
  uint32_t bin = do_bin(size);
  do_block *block = do_bins[bin];
  for (int looked = 0; block && looked < DO_SEARCH_LIMIT; block = block->next, looked++) {
    if (block->size >= size) return block;
  }
  for (uint32_t larger = bin + 1; larger < 32; larger++) {
    if (do_bins[larger]) return do_bins[larger];
  }
  // Before the memory grows, the rest of the bin is worth a look.
  while (block && block->size < size) block = block->next;
  return block;
}

void *do_keep(uint32_t size) {
  if (size > 0xfff00000u) return 0;
  uint32_t needed = (size + DO_BLOCK_HEADER + 15u) & ~15u;
  if (needed < DO_MIN_BLOCK) needed = DO_MIN_BLOCK;
  do_block *block = do_find_block(needed);
  if (!block) {
    if (!do_grow_heap(needed)) return 0;
    block = do_find_block(needed);
    if (!block) return 0;
  }
  do_unlink_block(block);
  uint32_t rest = block->size - needed;
  if (rest >= DO_MIN_BLOCK) {
    do_block *other = do_block_after(block, needed);
    other->before = needed;
    do_link_block(other, rest);
    block->size = needed;
  }
  block->size |= DO_IN_USE;
  return (char *)block + DO_BLOCK_HEADER;
}

void do_release(void *kept) {
  if (kept) do_free_block((do_block *)((char *)kept - DO_BLOCK_HEADER));
}

uint32_t do_memory_size(void) { return (uint32_t)__builtin_wasm_memory_size(0) * DO_PAGE; }

// ---- The arena ----

typedef struct do_chunk {
  struct do_chunk *next;
  uint32_t used, size; // `used` counts the header, which is 16 bytes
  uint32_t unused;
} do_chunk;

static do_chunk *do_chunks;
// Blocks of the host that it has not freed yet.
static uint32_t do_host_blocks;

static void *do_try_alloc(uint32_t size) {
  if (size > 0xfff00000u) return 0;
  uint32_t needed = (size + 15u) & ~15u;
  do_chunk *chunk = do_chunks;
  if (!chunk || chunk->size - chunk->used < needed) {
    bool large = needed > DO_CHUNK_SIZE / 4;
    uint32_t chunk_size = large && chunk ? needed + sizeof(do_chunk) : DO_CHUNK_SIZE;
    if (chunk_size < needed + sizeof(do_chunk)) chunk_size = needed + sizeof(do_chunk);
    do_chunk *more = do_keep(chunk_size);
    if (!more) return 0;
    *more = (do_chunk){.used = sizeof(do_chunk), .size = chunk_size};
    if (large && chunk) {
      // The room that is left in the newest chunk stays in use.
      more->next = chunk->next;
      chunk->next = more;
    } else {
      more->next = chunk;
      do_chunks = more;
    }
    chunk = more;
  }
  void *at = (char *)chunk + chunk->used;
  chunk->used += needed;
  return at;
}

void *do_alloc(uint32_t size) {
  void *at = do_try_alloc(size);
  if (!at) do_panic(DO_TEXT("no memory is left for this event"));
  return at;
}

static void do_end_event(void) {
  do_chunk *kept = 0;
  for (do_chunk *chunk = do_chunks, *next; chunk; chunk = next) {
    next = chunk->next;
    if (!kept && chunk->size == DO_CHUNK_SIZE) kept = chunk;
    else do_release(chunk);
  }
  if (kept) {
    kept->next = 0;
    kept->used = sizeof(do_chunk);
  }
  do_chunks = kept;
}

__attribute__((export_name("malloc"))) void *do_host_malloc(uint32_t size) {
  void *at = do_try_alloc(size);
  if (at) do_host_blocks++;
  return at;
}

__attribute__((export_name("free"))) void do_host_free(void *block) {
  (void)block;
  if (do_host_blocks > 0 && --do_host_blocks == 0) do_end_event();
}

// ---- What compilers call ----

// Without a C library they are here; `no_builtin`, or they would be compiled to calls of themselves.
#define DO_LIBRARY __attribute__((weak, no_builtin))

DO_LIBRARY void *memcpy(void *to, const void *from, size_t size) {
  char *t = to;
  const char *f = from;
  typedef long long do_sixteen __attribute__((vector_size(16), aligned(1)));
  for (; size >= 16; size -= 16, t += 16, f += 16) *(do_sixteen *)t = *(const do_sixteen *)f;
  for (; size > 0; size--) *t++ = *f++;
  return to;
}

DO_LIBRARY void *memmove(void *to, const void *from, size_t size) {
  char *t = to;
  const char *f = from;
  if ((uintptr_t)t - (uintptr_t)f >= size) return memcpy(to, from, size);
  while (size-- > 0) t[size] = f[size];
  return to;
}

DO_LIBRARY void *memset(void *to, int byte, size_t size) {
  char *t = to;
  for (size_t i = 0; i < size; i++) t[i] = (char)byte;
  return to;
}

DO_LIBRARY int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < size; i++) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

// ---- Panics ----

__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) extern int32_t
do_wasi_fd_write(int32_t file, const do_text *parts, uint32_t count, uint32_t *written);

_Noreturn void do_panic(do_text why) {
  const do_text parts[] = {DO_TEXT_CONSTANT("panic: "), why, DO_TEXT_CONSTANT("\n")};
  uint32_t written;
  do_wasi_fd_write(2, parts, 3, &written);
  __builtin_trap();
}

// ---- Buffers ----

static void do_reserve(do_buffer *buffer, uint32_t more) {
  if (buffer->capacity - buffer->size >= more) return;
  uint64_t wanted = (uint64_t)buffer->size + more;
  uint64_t capacity = (uint64_t)buffer->capacity * 2;
  if (capacity < wanted) capacity = wanted;
  if (capacity < 64) capacity = 64;
  if (capacity > 0xffff0000u) do_panic(DO_TEXT("a buffer would be larger than 4 GiB"));
  char *data = do_alloc((uint32_t)capacity);
  memcpy(data, buffer->data, buffer->size);
  buffer->data = data;
  buffer->capacity = (uint32_t)capacity;
}

void do_add(do_buffer *buffer, do_text text) {
  do_reserve(buffer, text.size);
  memcpy(buffer->data + buffer->size, text.data, text.size);
  buffer->size += text.size;
}

void do_add_char(do_buffer *buffer, char byte) {
  do_reserve(buffer, 1);
  buffer->data[buffer->size++] = byte;
}

do_text do_text_of(const do_buffer *buffer) { return (do_text){buffer->data, buffer->size}; }
