// Lets sdk/check.mjs try parts of the SDK one by one: cryptography, which is Go's own, numbers,
// columns, memory; and in nethttp.go what net/http does here.
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"

	"dolmen"
	"dolmen/columns"
	"dolmen/vector"
)

func init() {
	http.HandleFunc("POST /sha256", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%x", sha256.Sum256(body(r)))
	})
	http.HandleFunc("POST /sha512", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%x", sha512.Sum512(body(r)))
	})
	http.HandleFunc("POST /hmac", func(w http.ResponseWriter, r *http.Request) {
		mac := hmac.New(sha256.New, parameter(r, "key"))
		mac.Write(body(r))
		fmt.Fprintf(w, "%x", mac.Sum(nil))
	})
	http.HandleFunc("POST /encrypt", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%x", gcm(r).Seal(nil, parameter(r, "nonce"), body(r), parameter(r, "extra")))
	})
	http.HandleFunc("POST /decrypt", func(w http.ResponseWriter, r *http.Request) {
		text, err := gcm(r).Open(nil, parameter(r, "nonce"), body(r), parameter(r, "extra"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "%x", text)
	})
	http.HandleFunc("POST /numbers", func(w http.ResponseWriter, r *http.Request) {
		var all []any
		for _, value := range numbers(string(body(r))) {
			if all = append(all, value); math.IsNaN(value) {
				all[len(all)-1] = nil
			}
		}
		answer(w, all)
	})
	http.HandleFunc("POST /column/{what}", column)
	http.HandleFunc("POST /json", func(w http.ResponseWriter, r *http.Request) { answer(w, string(body(r))) })
	http.HandleFunc("GET /memory", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, memory()) })
	http.HandleFunc("POST /heap", heap)
	http.HandleFunc("GET /simd", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, vector.SIMD) })
	http.HandleFunc("GET /panic", func(w http.ResponseWriter, r *http.Request) { panic("as it was asked to") })
	dolmen.Serve(withParts(http.DefaultServeMux))
}

// main is never called; a program must have it.
func main() {}

func body(r *http.Request) []byte {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	return data
}

// parameter is one of the query that is written in hex.
func parameter(r *http.Request, name string) []byte {
	data, err := hex.DecodeString(r.URL.Query().Get(name))
	if err != nil {
		panic(err)
	}
	return data
}

func gcm(r *http.Request) cipher.AEAD {
	block, err := aes.NewCipher(parameter(r, "key"))
	if err != nil {
		panic(err)
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return sealer
}

// numbers reads a line of them. A text that is none is NaN.
func numbers(line string) []float64 {
	var all []float64
	for field := range strings.SplitSeq(line, ",") {
		value, ok := columns.Number(field)
		if !ok {
			value = math.NaN()
		}
		all = append(all, value)
	}
	return all
}

// column has two parameters in the first line of its body, and one column each in the others.
func column(w http.ResponseWriter, r *http.Request) {
	lines := strings.SplitN(string(body(r)), "\n", 3)
	if len(lines) < 3 {
		http.Error(w, "a body has 3 lines", http.StatusBadRequest)
		return
	}
	parameters, a, b := numbers(lines[0]), numbers(lines[1]), numbers(lines[2])
	to := make([]float64, len(a))
	switch r.PathValue("what") {
	case "sum":
		to = []float64{vector.Sum(a)}
	case "sum_i32":
		whole := make([]int32, len(a))
		for i, number := range a {
			whole[i] = int32(number)
		}
		to = []float64{float64(vector.SumInt32(whole))}
	case "dot":
		to = []float64{vector.Dot(a, b)}
	case "minmax":
		low, high := vector.MinMax(a)
		to = []float64{low, high}
	case "correlation":
		to = []float64{columns.Correlation(a, b)}
	case "stddev":
		to = []float64{columns.Describe(a).StdDev}
	case "add":
		vector.Add(to, a, b)
	case "sub":
		vector.Sub(to, a, b)
	case "mul":
		vector.Mul(to, a, b)
	case "scale":
		vector.Scale(to, a, parameters[0])
	case "clamp":
		vector.Clamp(to, a, parameters[0], parameters[1])
	case "map_linear":
		vector.MapLinear(to, a, parameters[0], parameters[1])
	case "normalize":
		to = columns.Normalize(a)
	default:
		http.NotFound(w, r)
		return
	}
	answer(w, to)
}

// A collected heap grows and shrinks by some MiB, depending on when the collector runs.
const memoryUnit = 16 << 20

// memory is what Go has of the instance's memory, in bytes, rounded up. The checks of memory go
// through several times a unit.
func memory() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return (stats.HeapSys + memoryUnit - 1) / memoryUnit * memoryUnit
}

// What /heap keeps, and how often it changes one of it.
const (
	keptBlocks = 512
	heapRounds = 20_000
)

var (
	blocks [keptBlocks][]byte
	random uint32 = 1
)

// heap keeps and releases blocks of many sizes in a random order, and looks whether one wrote into
// another.
func heap(w http.ResponseWriter, r *http.Request) {
	for range heapRounds {
		random = random*1664525 + 1013904223
		at := random >> 8 % keptBlocks
		for _, mark := range blocks[at] {
			if mark != byte(at) {
				panic("a block was overwritten")
			}
		}
		blocks[at] = bytes.Repeat([]byte{byte(at)}, int(random>>17>>(random&7)))
	}
	fmt.Fprint(w, memory())
}

// answer writes JSON.
func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	text := json.NewEncoder(w)
	text.SetEscapeHTML(false)
	if err := text.Encode(value); err != nil {
		panic(err)
	}
}
