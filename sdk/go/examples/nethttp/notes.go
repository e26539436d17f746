// Notes, kept by the instance: a small REST interface.

package main

import (
	"encoding/json"
	"net/http"
	"strconv"
)

type note struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

var (
	kept = map[int]note{}
	last int
)

func notes(mux *http.ServeMux) {
	mux.HandleFunc("/notes", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "notes are got and posted", http.StatusMethodNotAllowed)
	})
	mux.HandleFunc("GET /notes", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, len(kept)) })
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		var given note
		if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if given.Text == "" {
			http.Error(w, "a note has a text", http.StatusUnprocessableEntity)
			return
		}
		last++
		kept[last] = note{last, given.Text}
		answer(w, http.StatusCreated, kept[last])
	})
	mux.HandleFunc("DELETE /notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if _, known := kept[id]; err != nil || !known {
			http.NotFound(w, r)
			return
		}
		delete(kept, id)
		w.WriteHeader(http.StatusNoContent)
	})
}
