//go:build wasip1

// The http.ResponseWriter: what net/http's server does with what a handler writes, as far as the
// host does not do it: the first status counts, headers are fixed then, and a body without a type
// gets the one that it looks like.

package dolmen

import (
	"fmt"
	"net/http"
	"unsafe"
)

// The body begins after the 4 bytes of its length, so that it needs no copy.
const lengthBytes = 4

// Bodies of answers that are larger than this leave no buffer behind.
const keptAnswer = 64 << 10

var spareBody []byte

type writer struct {
	header http.Header
	// The headers as they were when the status was written; nil before.
	sent   http.Header
	status int
	body   []byte
}

func newWriter() *writer {
	body := spareBody
	spareBody = nil
	if body == nil {
		body = make([]byte, lengthBytes, 1024)
	}
	return &writer{header: http.Header{}, body: body[:lengthBytes]}
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("dolmen: %d is not a status", status))
	}
	// Informational answers are not sent.
	if w.sent != nil || status < 200 {
		return
	}
	w.status = status
	w.sent = w.header.Clone()
	if w.sent == nil {
		w.sent = http.Header{}
	}
}

func (w *writer) Write(data []byte) (int, error) {
	return w.WriteString(unsafe.String(unsafe.SliceData(data), len(data)))
}

func (w *writer) WriteString(text string) (int, error) {
	w.WriteHeader(http.StatusOK)
	if !hasBody(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	w.body = append(w.body, text...)
	return len(text), nil
}

// Flush does nothing: an answer is sent as a whole.
func (w *writer) Flush() { w.WriteHeader(http.StatusOK) }

func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func (w *writer) finish() unsafe.Pointer {
	w.WriteHeader(http.StatusOK)
	content := w.body[lengthBytes:]
	contentType := w.sent.Get("Content-Type")
	if contentType == "" && len(content) > 0 && w.sent["Content-Encoding"] == nil && !has(w.sent, "Content-Type") {
		contentType = http.DetectContentType(content)
	}
	// The host drops a length, but for the answer to HEAD, where the handler alone knows it.
	lines, err := headerLines(w.sent, func(name string) bool {
		switch name {
		case "Connection", "Content-Type", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade":
			return true
		}
		return false
	})
	if err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	little.PutUint32(w.body, uint32(len(content)))
	answer.reset(responseSlots)
	answer.i32(responseStatus, int32(w.status))
	answer.text(responseContentType, tagString, contentType)
	answer.text(responseHeaders, tagString, lines)
	// The host copies the body after this call.
	answerBody = w.body
	if cap(w.body) <= keptAnswer {
		spareBody = w.body
	}
	answer.address(responseBody, tagBytes, uint32(uintptr(unsafe.Pointer(unsafe.SliceData(w.body)))))
	// A goroutine that writes too late must not write into the next answer.
	w.body = nil
	return answer.place()
}

// has tells a header that was set to nothing from one that was not set.
func has(header http.Header, name string) bool {
	_, found := header[name]
	return found
}
