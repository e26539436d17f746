package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"dolmen"
	"dolmen/fanout"
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
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-Late", "1")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "<html>")
	})
	http.HandleFunc("GET /kept", kept)
	http.HandleFunc("GET /fetch-many", fetchMany)
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
	fanout.Plan(func(r *http.Request) []string { return r.URL.Query()["plan"] })
	http.HandleFunc("GET /planned", func(w http.ResponseWriter, r *http.Request) {
		for _, result := range fanout.Results(r) {
			fmt.Fprintf(w, "%s %d\n", result.Body, result.Failure)
		}
	})
	http.HandleFunc("GET /which", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s|%s|%s", dolmen.ObjectID(), dolmen.ObjectName(), dolmen.Namespace())
	})
	http.HandleFunc("POST /sql", func(w http.ResponseWriter, r *http.Request) {
		rows, err := dolmen.Query(string(body(r)), nil, true, -5, 2.5, "ü", []byte{0, 255}, int64(1)<<60)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%v %v", rows.Columns, rows.Rows)
	})
	http.HandleFunc("POST /alarm/clear", func(w http.ResponseWriter, r *http.Request) {
		_, before, err := dolmen.Alarm()
		err = errors.Join(err, dolmen.SetAlarm(time.UnixMilli(1<<42)))
		at, found, more := dolmen.Alarm()
		err = errors.Join(err, more, dolmen.DeleteAlarm())
		_, after, more := dolmen.Alarm()
		fmt.Fprintf(w, "%t %t %d %t %v", before, found, at.UnixMilli(), after, errors.Join(err, more))
	})
	http.HandleFunc("GET /sockets", func(w http.ResponseWriter, r *http.Request) {
		open, err := dolmen.Sockets()
		var attached []string
		for _, socket := range open {
			attached = append(attached, string(socket.Attachment()))
		}
		fmt.Fprintf(w, "%d %s %v %v", len(open), strings.Join(attached, ","), err, dolmen.Socket(1<<30).Send("x"))
	})
	http.HandleFunc("POST /alarm/failing", func(w http.ResponseWriter, r *http.Request) {
		if err := dolmen.SetAlarm(time.UnixMilli(0)); err != nil {
			panic(err)
		}
	})
	http.HandleFunc("GET /told", func(w http.ResponseWriter, r *http.Request) {
		text, _, err := dolmen.KV.Get("told")
		if err != nil {
			panic(err)
		}
		w.Write(text)
	})
	dolmen.OnAlarm(func(ctx context.Context, failures int) error {
		tell(fmt.Sprintf("alarm %d", failures))
		if failures == 0 {
			return errors.New("the first time it fails")
		}
		return nil
	})
	dolmen.ServeSockets(dolmen.SocketHandler{
		Open: func(w http.ResponseWriter, r *http.Request, s dolmen.Socket) {
			if err := s.Attach([]byte(r.URL.Path)); err != nil {
				panic(err)
			}
			io.WriteString(w, "welcome")
		},
		Message: func(s dolmen.Socket, r *http.Request, m dolmen.Message) {
			switch string(m.Data) {
			case "close":
				s.Close(3001, "as you wish")
			case "panic":
				panic("in a message")
			}
			s.SendBytes(m.Data)
		},
		Close: func(s dolmen.Socket, r *http.Request, c dolmen.Closing) {
			tell(fmt.Sprintf("closed %s %d %s %t", r.URL.Path, c.Code, c.Reason, c.Clean))
		},
	})
}

// tell keeps what an event has said, for /told.
func tell(text string) {
	if err := dolmen.KV.Put("told", []byte(text)); err != nil {
		panic(err)
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

func fetchMany(w http.ResponseWriter, r *http.Request) {
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
