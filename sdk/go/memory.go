//go:build wasip1

// The memory that the host asks for: blocks that stay where they are until it gives them back.

package dolmen

import "unsafe"

// Larger blocks are not kept for the next event.
const keptBytes = 64 << 10

var (
	// What the host has. A block that is in here is not collected.
	lent = map[uint32][]uint64{}
	// One block that the next event uses again.
	spare []uint64
)

//go:wasmexport malloc
func hostMalloc(size int32) int32 {
	words := (int(uint32(size)) + 7) / 8
	if words == 0 {
		words = 1
	}
	piece := spare
	spare = nil
	if cap(piece) < words {
		piece = make([]uint64, max(words, 1024))
	}
	address := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(piece))))
	lent[address] = piece
	return int32(address)
}

//go:wasmexport free
func hostFree(address int32) {
	piece := lent[uint32(address)]
	delete(lent, uint32(address))
	if cap(piece)*8 <= keptBytes {
		spare = piece
	}
}
