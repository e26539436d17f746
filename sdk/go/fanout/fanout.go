//go:build wasip1

// Package fanout lets Dolmen fetch what a handler needs before the handler runs, all at the same
// time and without suspending it. A program that imports it is asked about every HTTP request.
package fanout

import (
	"net/http"

	"dolmen/internal/hook"
)

// Result is what one URL gave: a body, or in Failure the status that was none of 200 to 299, or -1
// if there was no answer.
type Result = hook.Result

// Plan makes f say which URLs, 64 at most, are fetched (GET) for a request. It belongs into an init
// function. f must not read the body.
func Plan(f func(r *http.Request) []string) { hook.Plan = f }

// Results are those of the URLs that were planned for a request, in their order; none if there were none.
func Results(r *http.Request) []Result {
	results, _ := r.Context().Value(hook.ResultsKey).([]hook.Result)
	return results
}

//go:wasmexport fanout_zerobuf
func hostFanOut(base int32) int32 { return hook.Run(base) }
