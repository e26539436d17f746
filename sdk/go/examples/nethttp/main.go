// What programs do with net/http and os, unchanged: routes, forms, cookies, middleware, files,
// clients. sdk/check/nethttp.mjs says what each route must answer.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"dolmen"
)

func init() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, "root of %s", r.Host)
	})
	mux.HandleFunc("/below/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "below: "+r.URL.Path) })
	mux.Handle("/class", greeter{"Hello"})
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "stripped: "+r.URL.Path)
	})))
	mux.Handle("/cors", cors(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "behind cors") })))
	mux.HandleFunc("/negotiate", negotiate)
	mux.HandleFunc("/reflect", reflect)
	mux.HandleFunc("/limited", limited)
	mux.HandleFunc("/writes", func(w http.ResponseWriter, r *http.Request) {
		for number := range 5 {
			fmt.Fprintf(w, "%d;", number)
		}
	})
	mux.HandleFunc("/large", large)
	mux.HandleFunc("/events", events)
	mux.HandleFunc("/panic", func(w http.ResponseWriter, r *http.Request) { panic("on purpose") })
	forms(mux)
	cookies(mux)
	notes(mux)
	files(mux)
	clients(mux)
	dolmen.Serve(mux)
}

// main is never called; a program must have it.
func main() {}

type greeter struct{ greeting string }

func (g greeter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s, %s", g.greeting, r.FormValue("name"))
}

func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func negotiate(w http.ResponseWriter, r *http.Request) {
	switch accept := r.Header.Get("Accept"); {
	case strings.Contains(accept, "application/json"):
		answer(w, http.StatusOK, map[string]string{"as": "json"})
	case strings.Contains(accept, "text/html"):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<p>html</p>")
	default:
		io.WriteString(w, "text")
	}
}

func reflect(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"method": r.Method, "path": r.URL.Path, "query": r.URL.RawQuery, "host": r.Host,
		"agent": r.UserAgent(), "custom": r.Header.Get("X-Custom"), "type": r.Header.Get("Content-Type"),
		"length": r.ContentLength, "body": string(body),
	})
}

func limited(w http.ResponseWriter, r *http.Request) {
	const most = 1024
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("more than %d bytes", tooLarge.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	fmt.Fprintf(w, "%d bytes", len(body))
}

func large(w http.ResponseWriter, r *http.Request) {
	kilobytes, err := strconv.Atoi(r.FormValue("kb"))
	if err != nil {
		kilobytes = 100
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	for number := range kilobytes {
		w.Write([]byte(strings.Repeat(string(rune('a'+number%26)), 1024)))
	}
}

func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Connection", "keep-alive")
	for number := range 3 {
		fmt.Fprintf(w, "id: %d\ndata: event %d\n\n", number, number)
		if flusher, can := w.(http.Flusher); can {
			flusher.Flush()
		}
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
