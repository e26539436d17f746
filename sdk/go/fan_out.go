//go:build wasip1

package dolmen

import (
	"context"
	"fmt"
	"net/http"

	"dolmen/internal/hook"
)

var (
	// The URLs of the last plan, as an array that the host reads after the call.
	plan block
	// How many they were; their results are in the next request.
	planned int
)

func init() { hook.Run = runPlan }

// runPlan is the part of a fan-out before the request: it answers with an array of URLs, or null.
func runPlan(base int32) int32 {
	defer trapOnPanic()
	planned = 0
	in := incomingAt(base)
	var urls []string
	if hook.Plan != nil {
		// A path that cannot be read is refused when the request itself comes.
		if request, body, err := in.request(context.Background(), in.text(requestMethod)); err == nil {
			urls = hook.Plan(request)
			body.end()
		}
	}
	if len(urls) > hook.MaxURLs {
		panic(fmt.Sprintf("dolmen: a fan-out of %d URLs; %d are the most", len(urls), hook.MaxURLs))
	}
	planned = len(urls)
	plan.strings(urls)
	return int32(uintptr(plan.place()))
}

// fannedOut adds the results of the plan to a request.
func fannedOut(in incoming, request *http.Request) *http.Request {
	if planned == 0 {
		return request
	}
	results := make([]hook.Result, planned)
	planned = 0
	for i := range results {
		switch value := in.memory.value(in.base + (requestEventFirst+i)*slotSize).(type) {
		case string:
			results[i].Body = []byte(value)
		case []byte:
			results[i].Body = value
		case int64:
			if results[i].Failure = int(value); value == 0 {
				results[i].Failure = -1
			}
		}
	}
	return request.WithContext(context.WithValue(request.Context(), hook.ResultsKey, results))
}

// strings makes the block one slot that is null, or an array of strings.
func (b *block) strings(texts []string) {
	b.reset(1)
	if len(texts) == 0 {
		return
	}
	// The slot, its cell, the head of the array, and the slots of the array.
	const cell, head, first = 1, 2, 3
	b.reset(first + len(texts))
	b.pointTo(b.tag(0, tagArray)+4, cell*slotSize)
	b.pointTo(cell*slotSize, head*slotSize+8)
	little.PutUint32(b.bytes[head*slotSize+8:], uint32(len(texts)))
	little.PutUint32(b.bytes[head*slotSize+12:], uint32(len(texts)))
	for i, text := range texts {
		b.text(first+i, tagString, text)
	}
}

// pointTo writes the pointer to an offset of the block.
func (b *block) pointTo(at, target int) {
	little.PutUint32(b.bytes[at:], uint32(target))
	b.pointers = append(b.pointers, at)
}
