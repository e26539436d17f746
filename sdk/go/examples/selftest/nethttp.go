package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What net/http has besides routes: forms, files, limits, clients; and what must go wrong well.
func init() {
	http.Handle("/tmp/", http.StripPrefix("/tmp/", http.FileServer(http.Dir("/tmp"))))
	http.Handle("/data/", http.StripPrefix("/data/", http.FileServer(http.Dir("/data"))))
	http.HandleFunc("PUT /files", func(w http.ResponseWriter, r *http.Request) {
		if err := os.WriteFile(r.FormValue("path"), body(r), 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	http.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		_, file, err := r.FormFile("file")
		name := ""
		if err == nil {
			name = file.Filename
		}
		fmt.Fprintf(w, "%s|%s|%s|%s", r.FormValue("a"), r.PostFormValue("a"), r.FormValue("b"), name)
	})
	http.HandleFunc("POST /limited", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1000))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
	})
	http.HandleFunc("GET /host", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })
	http.HandleFunc("GET /header", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(r.FormValue("name"), r.FormValue("value"))
		io.WriteString(w, "sent")
	})
	http.HandleFunc("GET /late", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-Late", "1")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "<html>")
	})
	http.HandleFunc("GET /query", func(w http.ResponseWriter, r *http.Request) {
		pairs := [][2]string{}
		for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
			if name, value, _ := strings.Cut(pair, "="); pair != "" {
				pairs = append(pairs, [2]string{decoded(name), decoded(value)})
			}
		}
		answer(w, pairs)
	})
	http.HandleFunc("POST /named", named)
	http.HandleFunc("GET /kept", kept)
	http.HandleFunc("GET /fetch-goroutines", fetchGoroutines)
	http.HandleFunc("GET /fetch-timeout", fetchTimeout)
	http.HandleFunc("GET /panic/goroutine", func(w http.ResponseWriter, r *http.Request) {
		go panic("in a goroutine")
		time.Sleep(time.Millisecond)
	})
	http.HandleFunc("GET /panic/stuck", func(w http.ResponseWriter, r *http.Request) { <-make(chan int) })
	http.HandleFunc("GET /panic/memory", func(w http.ResponseWriter, r *http.Request) {
		var all [][]byte
		for {
			all = append(all, make([]byte, 1<<20))
		}
	})
}

// decoded leaves what cannot be decoded as it is, which url.Values leaves out.
func decoded(text string) string {
	if text, err := url.QueryUnescape(text); err == nil {
		return text
	}
	return text
}

// named says where `name` of the query is found: the form, the cookies, the headers.
func named(w http.ResponseWriter, r *http.Request) {
	name, found := r.URL.Query().Get("name"), [][2]string{}
	if value := r.PostFormValue(name); value != "" {
		found = append(found, [2]string{"form", value})
	}
	if cookie, err := r.Cookie(name); err == nil {
		found = append(found, [2]string{"cookie", cookie.Value})
	}
	if value := r.Header.Get(name); value != "" {
		found = append(found, [2]string{"header", value})
	}
	answer(w, found)
}

// withParts takes /parts/ONE/and/TWO away from ServeMux, which redirects a path with an empty part
// and allows HEAD wherever GET is.
func withParts(rest http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.EscapedPath(), "/")
		if len(parts) < 2 || parts[1] != "parts" {
			rest.ServeHTTP(w, r)
			return
		}
		if len(parts) != 5 || parts[2] == "" || parts[3] != "and" {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "GET only", http.StatusMethodNotAllowed)
			return
		}
		one, _ := url.PathUnescape(parts[2])
		two, _ := url.PathUnescape(parts[4])
		answer(w, [][2]string{{one, two}})
	}
}

var keptBody io.ReadCloser
var keptText string

// kept answers with what the request before it has left, which must not have changed.
func kept(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s ", keptText)
	if keptBody != nil {
		_, err := keptBody.Read(make([]byte, 1))
		fmt.Fprint(w, err)
	}
	keptText, keptBody = r.FormValue("text"), r.Body
}

func fetchGoroutines(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.FormValue("count"))
	texts := make([]string, count)
	var all sync.WaitGroup
	for i := range count {
		all.Add(1)
		go func() {
			defer all.Done()
			response, err := http.Post(r.FormValue("url"), "text/plain", strings.NewReader(fmt.Sprint(i)))
			if err != nil {
				texts[i] = err.Error()
				return
			}
			text, _ := io.ReadAll(response.Body)
			texts[i] = string(text)
		}()
	}
	all.Wait()
	io.WriteString(w, strings.Join(texts, ","))
}

// fetchTimeout has a time that is over before the answer comes.
func fetchTimeout(w http.ResponseWriter, r *http.Request) {
	client := http.Client{Timeout: time.Millisecond}
	_, err := client.Get(r.FormValue("url"))
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.FormValue("url"), nil)
	_, cancelled := http.DefaultClient.Do(request)
	fmt.Fprintf(w, "%t %t", os.IsTimeout(err), errors.Is(cancelled, context.Canceled))
}
