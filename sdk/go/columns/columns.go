// Package columns reads tables of numbers, and computes on their columns with package vector.
package columns

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"dolmen/vector"
)

// Table is columns of equal length.
type Table struct {
	Names   []string
	columns [][]float64
}

// Stats describes a column. Of no numbers all but Count are NaN, Sum is 0.
type Stats struct {
	Count                       int
	Sum, Mean, Min, Max, StdDev float64
}

// Read takes CSV: a line of names, then lines of as many numbers. Lines may end with CR LF, spaces
// around a name or number are left out, and empty lines too. Quotes are not known.
func Read(text string) (*Table, error) {
	table := &Table{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		fields := strings.Split(line, ",")
		if table.Names == nil {
			if err := table.name(fields, number); err != nil {
				return nil, err
			}
			continue
		}
		if len(fields) != len(table.Names) {
			return nil, fmt.Errorf("line %d has %d numbers, but there are %d names", number, len(fields), len(table.Names))
		}
		for i, field := range fields {
			value, ok := Number(strings.TrimSpace(field))
			if !ok {
				return nil, fmt.Errorf("line %d: %q is not a number", number, strings.TrimSpace(field))
			}
			table.columns[i] = append(table.columns[i], value)
		}
	}
	if table.Names == nil {
		return nil, errors.New("line 1: the names of the columns are missing")
	}
	return table, nil
}

// Number reads a finite number in decimal notation, and says whether text is one.
func Number(text string) (value float64, ok bool) {
	// What Go's own notation has besides: 0x1p4, 1_000, and words.
	if strings.ContainsAny(text, "xX_nN") {
		return 0, false
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil
}

func (t *Table) name(fields []string, line int) error {
	for _, field := range fields {
		name := strings.TrimSpace(field)
		if name == "" {
			return fmt.Errorf("line %d: a column has no name", line)
		}
		for _, other := range t.Names {
			if other == name {
				return fmt.Errorf("line %d: two columns are named %q", line, name)
			}
		}
		t.Names = append(t.Names, name)
	}
	t.columns = make([][]float64, len(t.Names))
	return nil
}

// Column gives the numbers of a column.
func (t *Table) Column(name string) ([]float64, error) {
	for i, known := range t.Names {
		if known == name {
			return t.columns[i], nil
		}
	}
	return nil, fmt.Errorf("there is no column %q; there are %s", name, strings.Join(t.Names, ", "))
}

// Describe computes the statistics of a column. StdDev is that of a whole population (divided by
// the count).
func Describe(x []float64) Stats {
	if len(x) == 0 {
		nan := math.NaN()
		return Stats{Mean: nan, Min: nan, Max: nan, StdDev: nan}
	}
	stats := Stats{Count: len(x), Sum: vector.Sum(x)}
	stats.Mean = stats.Sum / float64(len(x))
	stats.Min, stats.Max = vector.MinMax(x)
	centred := make([]float64, len(x))
	vector.MapLinear(centred, x, 1, -stats.Mean)
	stats.StdDev = math.Sqrt(vector.Dot(centred, centred) / float64(len(x)))
	return stats
}

// Normalize maps a column to 0..1, its least number to 0 and its largest to 1. Equal numbers are all 0.
func Normalize(x []float64) []float64 {
	result := make([]float64, len(x))
	if len(x) == 0 {
		return result
	}
	low, high := vector.MinMax(x)
	if low == high {
		return result
	}
	vector.MapLinear(result, x, 1, -low)
	vector.Scale(result, result, 1/(high-low))
	return result
}

// Correlation is Pearson's, -1 to 1; NaN if a column is constant. The columns must be equally long.
func Correlation(x, y []float64) float64 {
	meanX, meanY := vector.Sum(x)/float64(len(x)), vector.Sum(y)/float64(len(y))
	fromX, fromY := make([]float64, len(x)), make([]float64, len(y))
	vector.MapLinear(fromX, x, 1, -meanX)
	vector.MapLinear(fromY, y, 1, -meanY)
	return vector.Dot(fromX, fromY) / math.Sqrt(vector.Dot(fromX, fromX)*vector.Dot(fromY, fromY))
}

// WeightedSum is the sum of x times its weight. The columns must be equally long.
func WeightedSum(x, weights []float64) float64 { return vector.Dot(x, weights) }
