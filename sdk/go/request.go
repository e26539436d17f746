//go:build wasip1

// An event's slots as an http.Request. Text is copied, since a program may keep it; the body is read
// where it is, and cannot be read any more once the event is over.

package dolmen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

type incoming struct {
	memory view
	base   int
}

func incomingAt(address int32) incoming {
	memory := memory()
	return incoming{memory, memory.at(uint32(address))}
}

func (in incoming) bytes(slot int) []byte { return in.memory.text(in.base + slot*slotSize) }
func (in incoming) text(slot int) string  { return string(in.bytes(slot)) }
func (in incoming) i32(slot int) int32    { return in.memory.i32(in.base + slot*slotSize) }

func (in incoming) request(ctx context.Context, method string) (*http.Request, *eventBody, error) {
	target := in.text(requestPath)
	address, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, nil, fmt.Errorf("the path cannot be read: %w", err)
	}
	header := headers(in.text(requestHeaders))
	body := &eventBody{rest: in.bytes(requestBody)}
	request := &http.Request{
		Method:        method,
		URL:           address,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          body,
		ContentLength: int64(len(body.rest)),
		Host:          header.Get("Host"),
		RequestURI:    target,
	}
	if len(body.rest) == 0 {
		request.Body = http.NoBody
	}
	delete(header, "Host")
	return request.WithContext(ctx), body, nil
}

// headers reads `name: value` lines.
func headers(lines string) http.Header {
	header := http.Header{}
	for line := range strings.Lines(lines) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if found {
			name = textproto.CanonicalMIMEHeaderKey(name)
			header[name] = append(header[name], value)
		}
	}
	return header
}

// headerLines writes them, but for those that the host alone decides about. It says which cannot be
// sent, instead of changing what a program wants.
func headerLines(header http.Header, skip func(name string) bool) (string, error) {
	var lines strings.Builder
	for name, values := range header {
		if skip(name) {
			continue
		}
		if name == "" || strings.ContainsFunc(name, notOfToken) {
			return "", fmt.Errorf("%q is not the name of a header", name)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, isControl) {
				return "", fmt.Errorf("the header %s has a control character in its value", strings.ToLower(name))
			}
			lines.WriteString(name)
			lines.WriteString(": ")
			lines.WriteString(value)
			lines.WriteByte('\n')
		}
	}
	return lines.String(), nil
}

func notOfToken(r rune) bool {
	return !strings.ContainsRune("!#$%&'*+-.^_`|~0123456789", r) && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// eventBody is a body in the host's block, which is given back after the event.
type eventBody struct {
	rest   []byte
	closed bool
}

func (b *eventBody) Read(to []byte) (int, error) {
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	read := copy(to, b.rest)
	b.rest = b.rest[read:]
	return read, nil
}

// WriteTo is for io.Copy, which then needs no buffer.
func (b *eventBody) WriteTo(w io.Writer) (int64, error) {
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	written, err := w.Write(b.rest)
	b.rest = b.rest[written:]
	return int64(written), err
}

func (b *eventBody) Close() error {
	b.end()
	return nil
}

func (b *eventBody) end() {
	b.closed = true
	b.rest = nil
}
