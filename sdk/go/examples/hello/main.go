// A handler that shows a little of everything. README.md says how to build it.
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"dolmen"
	"dolmen/vector"
)

func init() {
	http.HandleFunc("/", hello)
	http.HandleFunc("GET /json", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct {
			Message  string `json:"message"`
			Language string `json:"language"`
		}{"hello", "go"})
	})
	http.HandleFunc("GET /sha256", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%x", sha256.Sum256([]byte(r.FormValue("text"))))
	})
	http.HandleFunc("GET /upper", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.ToUpper(r.FormValue("text")))
	})
	http.HandleFunc("GET /simd", simd)
	http.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		io.Copy(w, r.Body)
	})
	http.HandleFunc("GET /cookies", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", Path: "/", HttpOnly: true})
		io.WriteString(w, r.Header.Get("Cookie"))
	})
	http.HandleFunc("GET /status/{code}", status)
	http.Handle("GET /redirect", http.RedirectHandler("/", http.StatusFound))
	http.HandleFunc("GET /auth", auth)
	http.HandleFunc("GET /fetch", fetch)
	http.HandleFunc("GET /fetch-both", fetchBoth)
	dolmen.Serve(nil)
}

// main is never called; a program must have it.
func main() {}

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello from go") }

func simd(w http.ResponseWriter, r *http.Request) {
	numbers := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	doubled := make([]float64, len(numbers))
	vector.Scale(doubled, numbers, 2)
	answer(w, struct {
		Sum    float64 `json:"sum"`
		Dot    float64 `json:"dot"`
		Scaled float64 `json:"scaled"`
	}{vector.Sum(numbers), vector.Dot(numbers, numbers), vector.Sum(doubled)})
}

func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(r.PathValue("code"))
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "a status is a number from 200 to 599", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
}

func auth(w http.ResponseWriter, r *http.Request) {
	user, password, given := r.BasicAuth()
	if !given {
		w.Header().Set("WWW-Authenticate", "Basic realm=\"hello\"")
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, "%s:%s", user, password)
}

func fetch(w http.ResponseWriter, r *http.Request) {
	body, err := get(r.FormValue("url"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Write(body)
}

// fetchBoth needs nothing special: what goroutines fetch at the same time leaves together.
func fetchBoth(w http.ResponseWriter, r *http.Request) {
	var bodies [2][]byte
	var errs [2]error
	var both sync.WaitGroup
	for i, name := range []string{"a", "b"} {
		both.Add(1)
		go func() {
			defer both.Done()
			bodies[i], errs[i] = get(r.FormValue(name))
		}()
	}
	both.Wait()
	if err := cmp.Or(errs[0], errs[1]); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "%s\n%s\n", bodies[0], bodies[1])
}

func get(url string) ([]byte, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// answer writes JSON without the line feed that an encoder would add.
func answer(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(text)
}
