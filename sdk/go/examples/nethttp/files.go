// Files: what os and http.FileServer do with /tmp and, in objects, with /data.

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

func files(mux *http.ServeMux) {
	mux.HandleFunc("POST /site", func(w http.ResponseWriter, r *http.Request) {
		os.MkdirAll("/tmp/site", 0o755)
		os.WriteFile("/tmp/site/page.html", []byte("<h1>page</h1>"), 0o644)
		os.WriteFile("/tmp/site/style.css", []byte("p{}"), 0o644)
	})
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "/tmp/site/page.html") })
	mux.Handle("GET /site/", http.StripPrefix("/site/", http.FileServer(http.Dir("/tmp/site"))))
	// The first part of the rest is the directory that the guest begins with.
	mux.HandleFunc("PUT /file/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		return os.WriteFile(path, body, 0o644)
	}))
	mux.HandleFunc("POST /append/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(file, r.Body)
		return err
	}))
	mux.HandleFunc("GET /file/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}))
	mux.HandleFunc("GET /stat/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %d %t", info.Name(), info.Size(), info.IsDir())
		return nil
	}))
	mux.HandleFunc("GET /list/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		entries, err := os.ReadDir(path)
		var names []string
		for _, entry := range entries {
			name := entry.Name()
			if entry.IsDir() {
				name += "/"
			}
			names = append(names, name)
		}
		io.WriteString(w, strings.Join(names, " "))
		return err
	}))
	mux.HandleFunc("POST /rename/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		return os.Rename(path, r.FormValue("to"))
	}))
	mux.HandleFunc("DELETE /file/{path...}", withPath(func(w http.ResponseWriter, r *http.Request, path string) error {
		return os.Remove(path)
	}))
}

func withPath(work func(w http.ResponseWriter, r *http.Request, path string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := work(w, r, "/"+r.PathValue("path"))
		if errors.Is(err, fs.ErrNotExist) {
			http.Error(w, err.Error(), http.StatusNotFound)
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
