// Requests with net/http's client.

package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

func clients(mux *http.ServeMux) {
	mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) {
		show(w, get(http.Get(r.FormValue("url"))))
	})
	mux.HandleFunc("GET /twice", func(w http.ResponseWriter, r *http.Request) {
		first, second := get(http.Get(r.FormValue("url"))), get(http.Get(r.FormValue("second")))
		show(w, first, second)
	})
	mux.HandleFunc("GET /head", func(w http.ResponseWriter, r *http.Request) {
		response, err := http.Head(r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "%d %s", response.StatusCode, response.Header.Get("X-Origin"))
	})
	mux.HandleFunc("GET /post", func(w http.ResponseWriter, r *http.Request) {
		show(w, get(http.Post(r.FormValue("url"), "text/plain", strings.NewReader("posted"))))
	})
	mux.HandleFunc("GET /do-request", func(w http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodPut, r.FormValue("url"), strings.NewReader("put"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request.Header.Set("X-Asked", "by a client")
		show(w, get(http.DefaultClient.Do(request)))
	})
}

func get(response *http.Response, err error) string {
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}

func show(w http.ResponseWriter, results ...string) {
	io.WriteString(w, strings.Join(results, "\n"))
}
