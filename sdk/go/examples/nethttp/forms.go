// Forms and cookies.

package main

import (
	"errors"
	"io"
	"net/http"
)

func forms(mux *http.ServeMux) {
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.FormValue("q")) })
	mux.HandleFunc("POST /post-form", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.PostFormValue("q")) })
	mux.HandleFunc("POST /both", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.FormValue("query")+" "+r.FormValue("posted"))
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		file, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		defer file.Close()
		content, _ := io.ReadAll(file)
		io.WriteString(w, header.Filename+": "+string(content))
	})
}

func cookies(mux *http.ServeMux) {
	mux.HandleFunc("/set-cookies", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "abc", Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode})
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark", MaxAge: 3600})
	})
	mux.HandleFunc("/cookie", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("session")
		if errors.Is(err, http.ErrNoCookie) {
			http.Error(w, "no cookie", http.StatusBadRequest)
			return
		}
		io.WriteString(w, cookie.Value)
	})
}
