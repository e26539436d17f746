package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dolmen"
	"dolmen/fanout"
)

// Tries the calls of the host one by one.
func init() {
	http.HandleFunc("POST /sql", tell(query))
	http.HandleFunc("POST /keep", tell(func(w http.ResponseWriter, r *http.Request) error {
		io.WriteString(w, "kept")
		return dolmen.KV.Put(r.FormValue("key"), body(r))
	}))
	http.HandleFunc("GET /list", tell(list))
	http.HandleFunc("POST /alarm", tell(setAlarm))
	http.HandleFunc("POST /alarm/failing", tell(func(w http.ResponseWriter, r *http.Request) error {
		return dolmen.SetAlarm(time.UnixMilli(0))
	}))
	http.HandleFunc("GET /alarm/failures", tell(func(w http.ResponseWriter, r *http.Request) error {
		text, _, err := dolmen.KV.Get("failures")
		w.Write(text)
		return err
	}))
	http.HandleFunc("GET /object", func(w http.ResponseWriter, r *http.Request) {
		parts := []any{nil, nil, nil}
		for i, part := range []string{dolmen.ObjectID(), dolmen.ObjectName(), dolmen.Namespace()} {
			if part != "" {
				parts[i] = part
			}
		}
		answer(w, parts)
	})
	http.HandleFunc("POST /log", func(w http.ResponseWriter, r *http.Request) {
		slog.New(dolmen.LogHandler()).Warn(string(body(r)), "by", "slog")
		io.WriteString(w, "logged")
	})
	http.HandleFunc("POST /fetch", tell(fetchOne))
	http.HandleFunc("POST /fetch-many", fetchMany)
	http.HandleFunc("GET /fanout", func(w http.ResponseWriter, r *http.Request) {
		results := [][2]any{}
		for _, result := range fanout.Results(r) {
			status := result.Failure
			switch status {
			case 0:
				status = http.StatusOK
			case -1:
				status = 0
			}
			results = append(results, [2]any{status, string(result.Body)})
		}
		answer(w, results)
	})
	fanout.Plan(func(r *http.Request) []string {
		if r.URL.Path != "/fanout" {
			return nil
		}
		return r.URL.Query()["p"]
	})
	dolmen.OnAlarm(func(ctx context.Context, failures int) error {
		err := dolmen.KV.Put("failures", []byte(strconv.Itoa(failures)))
		if failures == 0 {
			err = errors.New("the first time it fails")
		}
		return err
	})
	dolmen.ServeSockets(dolmen.SocketHandler{Open: open, Message: message, Close: closed})
}

// tell answers with an error as text.
func tell(f func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// query runs the statement of the body. `p` is a parameter such as i:5, f:1.5, s:text, b:HEX, t:1 and n:
func query(w http.ResponseWriter, r *http.Request) error {
	statement, parameters := string(body(r)), []any{}
	for _, text := range r.URL.Query()["p"] {
		parameters = append(parameters, value(text))
	}
	rows, err := dolmen.Query(statement, parameters...)
	if err != nil {
		return err
	}
	for _, row := range rows.Rows {
		for i, cell := range row {
			if bytes, is := cell.([]byte); is {
				row[i] = "hex:" + hex.EncodeToString(bytes)
			}
		}
	}
	answer(w, struct {
		Columns []string `json:"columns"`
		Rows    [][]any  `json:"rows"`
		Written int64    `json:"written"`
	}{append([]string{}, rows.Columns...), rows.Rows, rows.Written})
	return nil
}

func value(text string) any {
	kind, text, _ := strings.Cut(text, ":")
	switch kind {
	case "i":
		value, _ := strconv.ParseInt(text, 10, 64)
		return value
	case "f":
		value, _ := strconv.ParseFloat(text, 64)
		return value
	case "s":
		return text
	case "b":
		value, _ := hex.DecodeString(text)
		return value
	case "t":
		return text == "1"
	}
	return nil
}

func list(w http.ResponseWriter, r *http.Request) error {
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	flags, _ := strconv.Atoi(r.FormValue("flags"))
	entries, err := dolmen.KV.List(dolmen.ListOptions{
		Prefix:   r.FormValue("prefix"),
		Start:    r.FormValue("start"),
		Limit:    limit,
		Reverse:  flags&1 != 0,
		KeysOnly: flags&2 != 0,
		After:    flags&4 != 0,
	})
	pairs := [][2]string{}
	for _, entry := range entries {
		pairs = append(pairs, [2]string{entry.Key, string(entry.Value)})
	}
	if err == nil {
		answer(w, pairs)
	}
	return err
}

// setAlarm sets the alarm to `at`, or deletes it without; it answers when the alarm is due.
func setAlarm(w http.ResponseWriter, r *http.Request) error {
	ms, err := strconv.ParseInt(r.FormValue("at"), 10, 64)
	if err == nil {
		err = dolmen.SetAlarm(time.UnixMilli(ms))
	} else {
		err = dolmen.DeleteAlarm()
	}
	if err != nil {
		return err
	}
	at, found, err := dolmen.Alarm()
	if !found {
		io.WriteString(w, "none")
	} else {
		fmt.Fprint(w, at.UnixMilli())
	}
	return err
}

// fetchOne sends the body with a header to `url`; it answers status and body, and the header x-origin.
func fetchOne(w http.ResponseWriter, r *http.Request) error {
	text := body(r)
	request, err := http.NewRequest(http.MethodPatch, r.URL.Query().Get("url"), strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	request.Header.Set("X-Asked", "by a handler")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(response.Body)
	answer(w, [][2]any{{response.StatusCode, string(got)}, {0, response.Header.Get("X-Origin")}})
	return err
}

// fetchMany takes lines of URLs.
func fetchMany(w http.ResponseWriter, r *http.Request) {
	var requests []*http.Request
	for url := range strings.FieldsSeq(string(body(r))) {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			panic(err)
		}
		requests = append(requests, request)
	}
	responses, errs := dolmen.FetchMany(requests...)
	results := make([][2]any, len(requests))
	for i, response := range responses {
		if errs[i] != nil {
			results[i] = [2]any{0, errs[i].Error()}
			continue
		}
		text, _ := io.ReadAll(response.Body)
		results[i] = [2]any{response.StatusCode, string(text)}
	}
	answer(w, results)
}

func open(w http.ResponseWriter, r *http.Request, s dolmen.Socket) {
	if r.URL.Path == "/refused" {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "refused")
		return
	}
	io.WriteString(w, "welcome")
}

// message takes a text as a command; a binary message comes back.
func message(s dolmen.Socket, r *http.Request, m dolmen.Message) {
	if m.Binary {
		if err := s.SendBytes(m.Data); err != nil {
			panic(err)
		}
		return
	}
	if err := command(s, string(m.Data)); err != nil {
		panic(err)
	}
}

func command(s dolmen.Socket, text string) error {
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "attach":
		if err := s.Attach([]byte(rest)); err != nil {
			return err
		}
		return s.Send("attached")
	case "attachment":
		if kept := s.Attachment(); kept != nil {
			return s.Send(string(kept))
		}
		return s.Send("none")
	case "list":
		all, err := dolmen.Sockets()
		place := "older"
		if len(all) > 0 && all[0] == s {
			place = "newest"
		}
		return errors.Join(err, s.Send(fmt.Sprintf("%d %s", len(all), place)))
	case "send":
		if dolmen.Socket(1<<30).Send(rest) == nil {
			return errors.New("a socket that is not there was sent on")
		}
		return errors.Join(s.Send(rest), s.SendBytes([]byte(rest)))
	case "close":
		code, _ := strconv.Atoi(rest)
		return s.Close(code, "as asked")
	}
	return fmt.Errorf("%q is no command", text)
}

// closed tells the others how a socket was closed.
func closed(s dolmen.Socket, r *http.Request, c dolmen.Closing) {
	how := "lost"
	if c.Clean {
		how = "clean"
	}
	text := fmt.Sprintf("%d %s %s", c.Code, how, c.Reason)
	if _, err := dolmen.Broadcast(dolmen.Message{Data: []byte(text)}, s); err != nil {
		panic(err)
	}
}
