package main

import (
	"net/http"

	"dolmen"
)

func init() {
	http.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("hello from go"))
	})
	http.HandleFunc("GET /panic", func(w http.ResponseWriter, r *http.Request) {
		panic("oh no")
	})
	dolmen.Serve(nil)
}

func main() {}
