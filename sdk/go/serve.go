//go:build wasip1

// An event comes in, and its answer goes out. One event runs at a time; its answer stays in memory
// until the next one begins, since the host reads it after the call.

package dolmen

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"
)

// The version of the ABI's events that the package knows.
const abiVersion = 1

// The slots of a request and of a response.
const (
	requestMethod     = 0
	requestPath       = 1
	requestBody       = 2
	requestHeaders    = 3
	requestEventFirst = 6

	responseStatus      = 0
	responseContentType = 1
	responseBody        = 2
	responseHeaders     = 3
	responseSlots       = 4
)

// Memory that a program should stay below while Dolmen's --memory-limit is what it is by default
// (128 MiB). GOMEMLIMIT, as a variable of --var, is another.
const defaultMemoryGoal = 96 << 20

// Calls that the log shows of a panic.
const maxCalls = 32

var (
	handler http.Handler
	sockets *SocketHandler
	alarm   func(ctx context.Context, failures int) error

	// What the host reads after a call.
	answer     block
	answerBody []byte
)

func init() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(defaultMemoryGoal)
	}
	http.DefaultTransport = Transport{}
}

// trap ends the instance: the event's writes are undone, and the next one has a new instance.
func trap()

// Serve makes h the handler of all HTTP requests; nil is [http.DefaultServeMux]. It returns at once
// and belongs into an init function.
//
// A handler that panics ends its instance: what it wrote is undone, the client gets 500, and the
// next request has a new instance.
func Serve(h http.Handler) {
	if h == nil {
		h = http.DefaultServeMux
	}
	handler = h
}

//go:wasmexport do_abi
func hostABI() int32 { return abiVersion }

//go:wasmexport handle_zerobuf
func hostHandle(base int32) int32 {
	defer trapOnPanic()
	request := incomingAt(base)
	answerBody = nil
	out := dispatch(request)
	return int32(uintptr(out))
}

func dispatch(request incoming) unsafe.Pointer {
	switch method := request.text(requestMethod); method {
	case "WEBSOCKET_OPEN":
		return openSocket(request)
	case "WEBSOCKET", "WEBSOCKET_BINARY":
		socketMessage(request, method == "WEBSOCKET_BINARY")
	case "WEBSOCKET_CLOSE":
		socketClosed(request)
	case "ALARM":
		if err := runAlarm(request); err != nil {
			return plain(http.StatusInternalServerError, err.Error())
		}
	default:
		return serveHTTP(request)
	}
	return plain(http.StatusOK, "")
}

func serveHTTP(in incoming) unsafe.Pointer {
	if handler == nil {
		return plain(http.StatusInternalServerError, "this program has no handler: call dolmen.Serve in an init function")
	}
	return answeredAs(in, in.text(requestMethod), handler)
}

// answeredAs asks a handler, and gives its answer.
func answeredAs(in incoming, method string, handler http.Handler) unsafe.Pointer {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, body, err := in.request(ctx, method)
	if err != nil {
		return plain(http.StatusBadRequest, err.Error())
	}
	defer body.end()
	w := newWriter()
	handler.ServeHTTP(w, fannedOut(in, request))
	return w.finish()
}

// trapOnPanic says what a handler panicked with, and ends the instance.
func trapOnPanic() {
	if reason := recover(); reason != nil {
		fmt.Fprintf(os.Stderr, "panic: %v\n%s", reason, calls())
		trap()
	}
}

// calls says where a panic comes from: the program's calls, the innermost first.
func calls() string {
	var counters [maxCalls]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters[:])])
	var text strings.Builder
	for {
		frame, more := frames.Next()
		from, _, inPackage := strings.Cut(frame.Function, ".")
		if inPackage && from != "dolmen" && from != "runtime" {
			fmt.Fprintf(&text, "\t%s %s:%d\n", frame.Function, frame.File, frame.Line)
		}
		if !more {
			return text.String()
		}
	}
}

func plain(status int, text string) unsafe.Pointer {
	answer.reset(responseSlots)
	answer.i32(responseStatus, int32(status))
	contentType := ""
	if text != "" {
		contentType = "text/plain; charset=utf-8"
	}
	answer.text(responseContentType, tagString, contentType)
	answer.text(responseBody, tagString, text)
	return answer.place()
}
