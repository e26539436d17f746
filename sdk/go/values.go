//go:build wasip1

// Slots, the values of the ABI: read where the host or `take` has put them, and written into one
// block. A block's pointers are addresses, so it must not move: it is on the heap, which Go's
// collector does not move, and who gives it to the host keeps it until the host has read it.

package dolmen

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

const slotSize = 16

const (
	tagNull   = 0
	tagBool   = 1
	tagI32    = 2
	tagF64    = 3
	tagString = 4
	tagArray  = 5
	tagI64    = 7
	tagBytes  = 8
)

var little = binary.LittleEndian

// view is memory that begins at the address base; its pointers lead into it.
type view struct {
	bytes []byte
	base  uint32
}

// Below it is nothing of a Go program, and the runtime takes a pointer to there for a mistake.
const lowestAddress = 4096

// memory is a view of all that the host can point to.
func memory() view {
	lowest := unsafe.Add(unsafe.Pointer(nil), lowestAddress)
	return view{unsafe.Slice((*byte)(lowest), 1<<32-1-lowestAddress), lowestAddress}
}

func (v view) at(address uint32) int { return int(address - v.base) }

// text is what a string or bytes slot at `slot` holds, not copied; nil for another tag.
func (v view) text(slot int) []byte {
	if tag := v.bytes[slot]; tag != tagString && tag != tagBytes {
		return nil
	}
	header := v.at(little.Uint32(v.bytes[slot+4:]))
	length := int(little.Uint32(v.bytes[header:]))
	return v.bytes[header+4 : header+4+length : header+4+length]
}

// array gives the offsets of the first slot of an array, and how many there are.
func (v view) array(slot int) (first, count int) {
	if v.bytes[slot] != tagArray {
		panic(fmt.Sprintf("dolmen: the host gave a value of tag %d where an array belongs", v.bytes[slot]))
	}
	cell := v.at(little.Uint32(v.bytes[slot+4:]))
	head := v.at(little.Uint32(v.bytes[cell:]))
	return head + 8, int(little.Uint32(v.bytes[head+4:]))
}

func (v view) i32(slot int) int32 { return int32(little.Uint32(v.bytes[slot+4:])) }

// value is a slot as a Go value: nil, bool, int64, float64, string or []byte (a copy).
func (v view) value(slot int) any {
	switch tag := v.bytes[slot]; tag {
	case tagNull:
		return nil
	case tagBool:
		return v.i32(slot) != 0
	case tagI32:
		return int64(v.i32(slot))
	case tagF64:
		return math.Float64frombits(little.Uint64(v.bytes[slot+8:]))
	case tagI64:
		return int64(little.Uint64(v.bytes[slot+8:]))
	case tagString:
		return string(v.text(slot))
	case tagBytes:
		return append([]byte{}, v.text(slot)...)
	default:
		panic(fmt.Sprintf("dolmen: the host gave a value of the unknown tag %d", tag))
	}
}

// block is slots and what they point to, in one piece.
type block struct {
	bytes []byte
	// Where pointers are, still counted from the block's begin.
	pointers []int
}

// reset makes the block one of `slots` null slots, in the memory that it has.
func (b *block) reset(slots int) {
	size := slots * slotSize
	if cap(b.bytes) < size {
		b.bytes = make([]byte, size, size+512)
	}
	b.bytes = b.bytes[:size]
	clear(b.bytes)
	b.pointers = b.pointers[:0]
}

func (b *block) tag(slot int, tag byte) int {
	b.bytes[slot*slotSize] = tag
	return slot * slotSize
}

func (b *block) i32(slot int, value int32) {
	little.PutUint32(b.bytes[b.tag(slot, tagI32)+4:], uint32(value))
}

// address points a string or bytes slot to a header that is elsewhere.
func (b *block) address(slot int, tag byte, address uint32) {
	little.PutUint32(b.bytes[b.tag(slot, tag)+4:], address)
}

func (b *block) text(slot int, tag byte, text string) {
	at := b.tag(slot, tag)
	for len(b.bytes)%4 != 0 {
		b.bytes = append(b.bytes, 0)
	}
	little.PutUint32(b.bytes[at+4:], uint32(len(b.bytes)))
	b.pointers = append(b.pointers, at+4)
	b.bytes = little.AppendUint32(b.bytes, uint32(len(text)))
	b.bytes = append(b.bytes, text...)
}

// value writes a parameter of a statement.
func (b *block) value(slot int, value any) error {
	switch value := value.(type) {
	case nil:
	case bool:
		at := b.tag(slot, tagBool)
		if value {
			b.bytes[at+4] = 1
		}
	case int:
		b.i64(slot, int64(value))
	case int32:
		b.i64(slot, int64(value))
	case int64:
		b.i64(slot, value)
	case float64:
		little.PutUint64(b.bytes[b.tag(slot, tagF64)+8:], math.Float64bits(value))
	case string:
		b.text(slot, tagString, value)
	case []byte:
		b.text(slot, tagBytes, unsafe.String(unsafe.SliceData(value), len(value)))
	default:
		return fmt.Errorf("a parameter is a %T; it may be nil, bool, int, int32, int64, float64, string or []byte", value)
	}
	return nil
}

func (b *block) i64(slot int, value int64) {
	little.PutUint64(b.bytes[b.tag(slot, tagI64)+8:], uint64(value))
}

// place turns the pointers into addresses. Nothing may be written after it.
func (b *block) place() unsafe.Pointer {
	base := unsafe.Pointer(unsafe.SliceData(b.bytes))
	for _, at := range b.pointers {
		little.PutUint32(b.bytes[at:], little.Uint32(b.bytes[at:])+uint32(uintptr(base)))
	}
	return base
}
