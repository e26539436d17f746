// Package hook connects the packages dolmen and fanout. Only a program that uses fanout exports its
// function, since the host calls that function for every request.
package hook

import "net/http"

// MaxURLs is how many the host fetches for one request.
const MaxURLs = 64

// Result is what one URL gave.
type Result struct {
	Body []byte
	// 0 if Body is there; else the status, or -1 if there was no answer.
	Failure int
}

type resultsKey struct{}

// ResultsKey finds the []Result of a request in its context.
var ResultsKey resultsKey

// Plan is the program's.
var Plan func(r *http.Request) []string

// Run asks Plan about the request at an address, and gives the address of its URLs.
var Run func(base int32) int32
