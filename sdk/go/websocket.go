//go:build wasip1

package dolmen

import (
	"context"
	"fmt"
	"net/http"
	"unsafe"
)

// Socket is a WebSocket of the object. It stays the same while the object hibernates.
type Socket int32

// Message is what a WebSocket carries.
type Message struct {
	Data []byte
	// Whether it is binary; else it is text, in UTF-8.
	Binary bool
}

// Closing says how a WebSocket has ended.
type Closing struct {
	Code   int
	Reason string
	// Whether both sides have agreed to it.
	Clean bool
}

// SocketHandler is what happens with WebSockets. The request is the one that opened the socket; a
// function may be nil.
type SocketHandler struct {
	// Open decides: a status of 200 to 299 accepts, which it is if nothing is written; another is the
	// client's answer. What is written is then the first message. Headers go to the client. If Open is
	// nil, all are accepted.
	Open    func(w http.ResponseWriter, r *http.Request, s Socket)
	Message func(s Socket, r *http.Request, m Message)
	Close   func(s Socket, r *http.Request, c Closing)
}

// ServeSockets makes h the handler of the objects' WebSockets. It belongs into an init function.
// Without it, every WebSocket is refused.
func ServeSockets(h SocketHandler) { sockets = &h }

// Send sends text.
func (s Socket) Send(text string) error {
	at, length := pointer(text)
	return s.result(hostWSSend(int32(s), at, length, 0), "send")
}

// SendBytes sends a binary message.
func (s Socket) SendBytes(data []byte) error {
	at, length := bytesPointer(data)
	return s.result(hostWSSend(int32(s), at, length, 1), "send")
}

// Close closes the socket. The code is 1000, or 3000 to 4999; the reason has 123 bytes at most.
func (s Socket) Close(code int, reason string) error {
	at, length := pointer(reason)
	return s.result(hostWSClose(int32(s), int32(code), at, length), "close")
}

// Attach keeps data, 16,384 bytes at most, with the socket, also while the object hibernates.
func (s Socket) Attach(data []byte) error {
	at, length := bytesPointer(data)
	return s.result(hostWSAttach(int32(s), at, length), "attach")
}

// Attachment is what [Socket.Attach] has kept, nil if nothing.
func (s Socket) Attachment() []byte { return taken(hostWSAttachment(int32(s))) }

// Sockets gives the object's open sockets, the newest first.
func Sockets() ([]Socket, error) {
	n := hostWSList()
	if n < 0 {
		return nil, failure("list of sockets")
	}
	list := takenView(n)
	first, count := list.array(0)
	open := make([]Socket, count)
	for i := range open {
		open[i] = Socket(list.i32(first + i*slotSize))
	}
	return open, nil
}

// Nobody is for [Broadcast] without an exception.
const Nobody Socket = -1

// Broadcast sends a message on all sockets but one, and says on how many.
func Broadcast(m Message, except Socket) (int, error) {
	at, length := bytesPointer(m.Data)
	binary := int32(0)
	if m.Binary {
		binary = 1
	}
	n := hostWSBroadcast(at, length, binary, int32(except))
	if n < 0 {
		return 0, failure("broadcast")
	}
	return int(n), nil
}

func (s Socket) result(code int32, what string) error {
	switch op := fmt.Sprintf("%s on socket %d", what, s); {
	case code == none:
		return &Error{Op: op, Reason: "there is no such socket any more"}
	case code < 0:
		return failure(op)
	}
	return nil
}

func openSocket(in incoming) unsafe.Pointer {
	if sockets == nil {
		return plain(http.StatusBadRequest, "this program takes no WebSockets")
	}
	if sockets.Open == nil {
		return plain(http.StatusOK, "")
	}
	s := Socket(in.i32(requestEventFirst))
	return answeredAs(in, http.MethodGet, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sockets.Open(w, r, s)
	}))
}

func socketMessage(in incoming, binary bool) {
	if sockets == nil || sockets.Message == nil {
		return
	}
	// A copy: a program may keep it.
	data := append([]byte{}, in.bytes(requestBody)...)
	onSocket(in, func(s Socket, r *http.Request) { sockets.Message(s, r, Message{data, binary}) })
}

func socketClosed(in incoming) {
	if sockets == nil || sockets.Close == nil {
		return
	}
	closing := Closing{
		Code:   int(in.i32(requestEventFirst + 1)),
		Reason: in.text(requestBody),
		Clean:  in.i32(requestEventFirst+2) != 0,
	}
	onSocket(in, func(s Socket, r *http.Request) { sockets.Close(s, r, closing) })
}

// onSocket calls f with the socket and the request that opened it.
func onSocket(in incoming, f func(s Socket, r *http.Request)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, body, err := in.request(ctx, http.MethodGet)
	if err != nil {
		panic(err)
	}
	body.end()
	request.Body, request.ContentLength = http.NoBody, 0
	f(Socket(in.i32(requestEventFirst)), request)
}
