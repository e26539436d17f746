package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dolmen"
)

// What only objects have: storage, SQL, an alarm, WebSockets.
func init() {
	http.HandleFunc("PUT /kv/{name}", tell(func(w http.ResponseWriter, r *http.Request) error {
		value, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		return dolmen.KV.Put(r.PathValue("name"), value)
	}))
	http.HandleFunc("GET /kv/{name}", tell(func(w http.ResponseWriter, r *http.Request) error {
		value, found, err := dolmen.KV.Get(r.PathValue("name"))
		if err == nil && !found {
			http.NotFound(w, r)
			return nil
		}
		w.Write(value)
		return err
	}))
	http.HandleFunc("DELETE /kv/{name}", tell(func(w http.ResponseWriter, r *http.Request) error {
		_, err := dolmen.KV.Delete(r.PathValue("name"))
		return err
	}))
	http.HandleFunc("GET /kv", tell(func(w http.ResponseWriter, r *http.Request) error {
		entries, err := dolmen.KV.List(dolmen.ListOptions{Prefix: r.FormValue("prefix"), KeysOnly: true})
		keys := make([]string, len(entries))
		for i, entry := range entries {
			keys[i] = entry.Key
		}
		if err == nil {
			answer(w, keys)
		}
		return err
	}))
	http.HandleFunc("POST /count", tell(func(w http.ResponseWriter, r *http.Request) error {
		return counted(w, "count", 1)
	}))
	http.HandleFunc("GET /alarm", tell(func(w http.ResponseWriter, r *http.Request) error {
		return counted(w, "alarms", 0)
	}))
	http.HandleFunc("POST /alarm", tell(func(w http.ResponseWriter, r *http.Request) error {
		delay, err := strconv.Atoi(r.FormValue("ms"))
		if err != nil || delay < 0 {
			http.Error(w, "ms is a number of milliseconds", http.StatusBadRequest)
			return nil
		}
		return dolmen.SetAlarm(time.Now().Add(time.Duration(delay) * time.Millisecond))
	}))
	dolmen.OnAlarm(func(ctx context.Context, failures int) error {
		return counted(io.Discard, "alarms", 1)
	})
	dolmen.ServeSockets(dolmen.SocketHandler{
		Open: func(w http.ResponseWriter, r *http.Request, s dolmen.Socket) {
			if r.URL.Path == "/private" {
				http.Error(w, "this is private", http.StatusForbidden)
			}
		},
		Message: func(s dolmen.Socket, r *http.Request, m dolmen.Message) {
			var err error
			switch {
			case r.URL.Path == "/room":
				_, err = dolmen.Broadcast(m, s)
			case m.Binary:
				err = s.SendBytes(m.Data)
			default:
				err = s.Send("echo: " + string(m.Data))
			}
			if err != nil {
				// The socket is gone; its close comes next.
				fmt.Println(err)
			}
		},
	})
}

// counted adds to a counter of the object's database, and writes what it is then.
func counted(w io.Writer, name string, more int) error {
	if _, err := dolmen.Query("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL)"); err != nil {
		return err
	}
	rows, err := dolmen.Query(strings.TrimSpace(`
		INSERT INTO counters VALUES (?1, ?2)
		ON CONFLICT (name) DO UPDATE SET n = n + excluded.n RETURNING n`), name, more)
	if err != nil {
		return err
	}
	fmt.Fprint(w, rows.Rows[0][0])
	return nil
}

// tell answers with an error as text.
func tell(f func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
