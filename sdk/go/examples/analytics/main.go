// Statistics of the columns of a CSV body. README.md says how to build it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"dolmen"
	"dolmen/columns"
)

func init() {
	post("/stats", stats)
	post("/correlation", func(table *columns.Table, r *http.Request) (any, error) {
		x, y, err := two(table, r, "x", "y")
		if err != nil {
			return nil, err
		}
		return struct {
			Correlation number `json:"correlation"`
		}{number(columns.Correlation(x, y))}, nil
	})
	post("/normalize", func(table *columns.Table, r *http.Request) (any, error) {
		x, err := column(table, r, "x")
		if err != nil {
			return nil, err
		}
		return columns.Normalize(x), nil
	})
	post("/weighted", func(table *columns.Table, r *http.Request) (any, error) {
		x, weights, err := two(table, r, "x", "w")
		if err != nil {
			return nil, err
		}
		return struct {
			Sum number `json:"weighted_sum"`
		}{number(columns.WeightedSum(x, weights))}, nil
	})
	post("/columns", func(table *columns.Table, r *http.Request) (any, error) { return table.Names, nil })
	dolmen.Serve(nil)
}

// main is never called; a program must have it.
func main() {}

// post registers a question about the table in the body of a POST. An error in the table or the
// question is the client's.
func post(path string, question func(table *columns.Table, r *http.Request) (any, error)) {
	http.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		table, err := columns.Read(string(text))
		var result any
		if err == nil {
			result, err = question(table, r)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := json.Marshal(result)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	})
}

// column is the one that a parameter of the query names.
func column(table *columns.Table, r *http.Request, parameter string) ([]float64, error) {
	if !r.URL.Query().Has(parameter) {
		return nil, fmt.Errorf("the parameter %s, the name of a column, is missing", parameter)
	}
	return table.Column(r.URL.Query().Get(parameter))
}

func two(table *columns.Table, r *http.Request, first, second string) (x, y []float64, err error) {
	if x, err = column(table, r, first); err != nil {
		return nil, nil, err
	}
	y, err = column(table, r, second)
	return x, y, err
}

// stats keeps the order of the columns, which a map would lose.
func stats(table *columns.Table, r *http.Request) (any, error) {
	var all strings.Builder
	for i, name := range table.Names {
		column, err := table.Column(name)
		if err != nil {
			return nil, err
		}
		s := columns.Describe(column)
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(struct {
			Count  int    `json:"count"`
			Sum    number `json:"sum"`
			Mean   number `json:"mean"`
			Min    number `json:"min"`
			Max    number `json:"max"`
			StdDev number `json:"stddev"`
		}{s.Count, number(s.Sum), number(s.Mean), number(s.Min), number(s.Max), number(s.StdDev)})
		if err != nil {
			return nil, err
		}
		separator := ","
		if i == 0 {
			separator = "{"
		}
		fmt.Fprintf(&all, "%s%s:%s", separator, key, value)
	}
	return json.RawMessage(all.String() + "}"), nil
}

// number is null in JSON if it is none.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}
