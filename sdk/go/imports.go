//go:build wasip1

// The functions of the host, module `do`, as docs/reference/wasm-abi.md has them. A module imports
// those that it calls. The pointers of a call are read by the host before it returns.

package dolmen

import "unsafe"

//go:wasmimport do take
func hostTake(to unsafe.Pointer, offset, max int32) int32

//go:wasmimport do last_error
func hostLastError() int32

//go:wasmimport do kv_get
func hostKVGet(key unsafe.Pointer, keyLength int32) int32

//go:wasmimport do kv_put
func hostKVPut(key unsafe.Pointer, keyLength int32, value unsafe.Pointer, valueLength int32) int32

//go:wasmimport do kv_delete
func hostKVDelete(key unsafe.Pointer, keyLength int32) int32

//go:wasmimport do kv_list
func hostKVList(prefix unsafe.Pointer, prefixLength int32, start unsafe.Pointer, startLength, limit, flags int32) int32

//go:wasmimport do sql_exec
func hostSQLExec(statement unsafe.Pointer, length int32, parameters unsafe.Pointer, count int32) int32

//go:wasmimport do alarm_get
func hostAlarmGet() int64

//go:wasmimport do alarm_set
func hostAlarmSet(time int64) int32

//go:wasmimport do alarm_delete
func hostAlarmDelete() int32

//go:wasmimport do fetch
func hostFetch(request unsafe.Pointer) int32

//go:wasmimport do fetch_many
func hostFetchMany(requests unsafe.Pointer, count int32) int32

//go:wasmimport do ws_send
func hostWSSend(socket int32, data unsafe.Pointer, length, binary int32) int32

//go:wasmimport do ws_broadcast
func hostWSBroadcast(data unsafe.Pointer, length, binary, except int32) int32

//go:wasmimport do ws_close
func hostWSClose(socket, code int32, reason unsafe.Pointer, reasonLength int32) int32

//go:wasmimport do ws_list
func hostWSList() int32

//go:wasmimport do ws_attach
func hostWSAttach(socket int32, data unsafe.Pointer, length int32) int32

//go:wasmimport do ws_attachment
func hostWSAttachment(socket int32) int32

//go:wasmimport do log
func hostLog(level int32, text unsafe.Pointer, length int32)

//go:wasmimport do object_id
func hostObjectID(which int32) int32
