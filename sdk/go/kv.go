//go:build wasip1

package dolmen

import "fmt"

// The most keys that [Store.List] gives if nothing else is asked for.
const defaultListLimit = 1000

const (
	listReverse  = 1
	listKeysOnly = 2
	listAfter    = 4
)

// KV is the key-value storage: the object's own, and in the worker the worker's.
var KV Store

// Store is the type of [KV].
type Store struct{}

// Entry is a key and its value.
type Entry struct {
	Key string
	// nil if only keys were asked for.
	Value []byte
}

// ListOptions say which keys [Store.List] gives; the zero value means the first 1,000.
type ListOptions struct {
	Prefix string
	// The list begins with this key, or what comes next; with After, behind it.
	Start string
	After bool
	// The most entries; 0 means 1,000.
	Limit int
	// From the last key to the first.
	Reverse  bool
	KeysOnly bool
}

// Get gives the value of a key, and whether there is one.
func (Store) Get(key string) (value []byte, found bool, err error) {
	at, length := pointer(key)
	switch n := hostKVGet(at, length); {
	case n == none:
		return nil, false, nil
	case n < 0:
		return nil, false, failure(fmt.Sprintf("kv get %q", key))
	case n == 0:
		return []byte{}, true, nil
	default:
		return taken(n), true, nil
	}
}

// Put sets the value of a key.
func (Store) Put(key string, value []byte) error {
	at, length := pointer(key)
	data, size := bytesPointer(value)
	if hostKVPut(at, length, data, size) < 0 {
		return failure(fmt.Sprintf("kv put %q", key))
	}
	return nil
}

// Delete removes a key, and says whether it was there.
func (Store) Delete(key string) (found bool, err error) {
	at, length := pointer(key)
	n := hostKVDelete(at, length)
	if n < 0 {
		return false, failure(fmt.Sprintf("kv delete %q", key))
	}
	return n == 1, nil
}

// List gives entries in the order of their keys.
func (Store) List(options ListOptions) ([]Entry, error) {
	limit, flags := options.Limit, int32(0)
	if limit <= 0 {
		limit = defaultListLimit
	}
	if options.Reverse {
		flags |= listReverse
	}
	if options.KeysOnly {
		flags |= listKeysOnly
	}
	if options.After {
		flags |= listAfter
	}
	prefix, prefixLength := pointer(options.Prefix)
	start, startLength := pointer(options.Start)
	n := hostKVList(prefix, prefixLength, start, startLength, int32(limit), flags)
	if n < 0 {
		return nil, failure(fmt.Sprintf("kv list of %q", options.Prefix))
	}
	all := takenView(n)
	first, count := all.array(0)
	entries := make([]Entry, count)
	for i := range entries {
		pair, _ := all.array(first + i*slotSize)
		entries[i].Key = string(all.text(pair))
		if !options.KeysOnly {
			entries[i].Value = all.text(pair + slotSize)
		}
	}
	return entries, nil
}
