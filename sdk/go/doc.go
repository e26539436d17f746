// Package dolmen lets a Go program be a handler of Dolmen: a WASM module that answers HTTP
// requests, by itself and in objects.
//
// The program registers an [http.Handler] with [Serve] in an init function, and is built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o handler.wasm
//
// main is never called. net/http works as it is: handlers, clients, cookies, file servers. What
// objects have besides (storage, SQL, an alarm, WebSockets) is here. All of it belongs to the object
// that is being asked, and is kept once its event has ended without a panic.
package dolmen
