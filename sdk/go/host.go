//go:build wasip1

// What all calls of the host have in common: results are taken, failures have a reason.

package dolmen

import (
	"unsafe"
)

const (
	none   = -1
	failed = -2
)

// Error is a call that the host has refused or that has failed.
type Error struct {
	// Op is what was tried, such as `kv put "name"`.
	Op string
	// Reason is the host's.
	Reason string
}

func (e *Error) Error() string { return e.Op + ": " + e.Reason }

// failure is the error of a call that has just answered -2.
func failure(op string) error {
	reason := string(taken(hostLastError()))
	if reason == "" {
		reason = "the host gave no reason"
	}
	return &Error{Op: op, Reason: reason}
}

// taken copies what waits. It is whole 64-bit words, as the pointers in it want it.
func taken(length int32) []byte {
	if length <= 0 {
		return nil
	}
	words := make([]uint64, (int(length)+7)/8)
	to := unsafe.Pointer(unsafe.SliceData(words))
	copied := hostTake(to, 0, length)
	if copied != length {
		panic("dolmen: the host gave only a part of a result")
	}
	return unsafe.Slice((*byte)(to), length)
}

// takenView is what waits, if it consists of slots.
func takenView(length int32) view {
	bytes := taken(length)
	return view{bytes, uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))}
}

func pointer(text string) (unsafe.Pointer, int32) {
	return unsafe.Pointer(unsafe.StringData(text)), int32(len(text))
}

func bytesPointer(data []byte) (unsafe.Pointer, int32) {
	return unsafe.Pointer(unsafe.SliceData(data)), int32(len(data))
}
