//go:build wasip1

// Requests to other servers, by the host. It suspends the program while it waits, so requests that
// goroutines send at the same time are collected and leave together.

package dolmen

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"time"
	"unsafe"
)

// Requests that the host takes at once.
const maxTogether = 64

// How often nothing new may come before what was collected is sent. The scheduler looks past the
// goroutines that are ready now and then, so that one round is not enough.
const quietRounds = 3

// Transport is an [http.RoundTripper] over the host's fetch, and what http.DefaultTransport is in
// a handler. The host follows redirects, decodes compressed bodies and applies --egress. What was
// written before is durable when a request leaves. A body is read whole before it is sent and
// received whole before it is given. A deadline cannot cut a request short, but ends it with an
// error when it has passed in the meantime.
type Transport struct{}

type exchange struct {
	request *http.Request
	headers string
	body    []byte
	done    chan struct{}
	answer  *http.Response
	err     error
}

var waiting []*exchange

// RoundTrip sends a request. Requests of several goroutines leave together.
func (Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	sent, err := newExchange(request)
	if err != nil {
		return nil, err
	}
	sent.done = make(chan struct{})
	waiting = append(waiting, sent)
	if len(waiting) == 1 {
		for quiet, before := 0, 0; quiet < quietRounds && len(waiting) < maxTogether; quiet++ {
			if len(waiting) != before {
				quiet, before = 0, len(waiting)
			}
			runtime.Gosched()
		}
		together := waiting
		waiting = nil
		exchangeAll(together)
	}
	<-sent.done
	return sent.answer, sent.err
}

// FetchMany sends requests at the same time. The results have the order of the requests; each is a
// response or an error.
func FetchMany(requests ...*http.Request) ([]*http.Response, []error) {
	answers, errs := make([]*http.Response, len(requests)), make([]error, len(requests))
	all := make([]*exchange, 0, len(requests))
	places := make([]int, 0, len(requests))
	for i, request := range requests {
		sent, err := newExchange(request)
		if err != nil {
			errs[i] = err
			continue
		}
		sent.done = make(chan struct{})
		all, places = append(all, sent), append(places, i)
	}
	exchangeAll(all)
	for i, sent := range all {
		answers[places[i]], errs[places[i]] = sent.answer, sent.err
	}
	return answers, errs
}

func newExchange(request *http.Request) (*exchange, error) {
	var body []byte
	if request.Body != nil {
		defer request.Body.Close()
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	if err := ended(request.Context()); err != nil {
		return nil, err
	}
	lines, err := headerLines(request.Header, func(name string) bool { return name == "Content-Length" })
	if err != nil {
		return nil, err
	}
	return &exchange{request: request, headers: lines, body: body}, nil
}

// exchangeAll sends all, as many at once as the host takes.
func exchangeAll(all []*exchange) {
	for len(all) > 0 {
		count := min(len(all), maxTogether)
		exchangeSome(all[:count])
		for _, sent := range all[:count] {
			if err := ended(sent.request.Context()); err != nil {
				sent.answer, sent.err = nil, err
			}
			close(sent.done)
		}
		all = all[count:]
	}
}

func exchangeSome(all []*exchange) {
	// A block for each call: another goroutine may send while this one is being read.
	requests := &block{}
	requests.reset(len(all) * responseSlots)
	for i, sent := range all {
		r, at := sent.request, i*responseSlots
		// The client has made a header of the user and password, which fetch takes in no URL.
		url := *r.URL
		url.User = nil
		requests.text(at, tagString, cmp.Or(r.Method, http.MethodGet))
		requests.text(at+1, tagString, url.String())
		requests.text(at+2, tagBytes, unsafe.String(unsafe.SliceData(sent.body), len(sent.body)))
		requests.text(at+3, tagString, sent.headers)
	}
	place := requests.place()
	var length int32
	if len(all) == 1 {
		length = hostFetch(place)
	} else {
		length = hostFetchMany(place, int32(len(all)))
	}
	runtime.KeepAlive(requests)
	if length < 0 {
		err := failure("fetch of " + all[0].request.URL.Redacted())
		for _, sent := range all {
			sent.err = err
		}
		return
	}
	results := takenView(length)
	for i, sent := range all {
		sent.answer, sent.err = response(results, i*responseSlots*slotSize, sent.request)
	}
}

func response(results view, at int, request *http.Request) (*http.Response, error) {
	status := int(results.i32(at))
	body := results.text(at + 2*slotSize)
	if status == 0 {
		return nil, &Error{Op: "fetch of " + request.URL.Redacted(), Reason: string(body)}
	}
	header := headers(string(results.text(at + 3*slotSize)))
	if contentType := string(results.text(at + slotSize)); contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       request,
	}, nil
}

// ended is why nobody waits any more. Timers have not run while the host waited, so the time is compared.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, has := ctx.Deadline(); has && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
