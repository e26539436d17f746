//go:build wasip1

package dolmen

import (
	"fmt"
	"runtime"
)

// Rows is the result of a statement: all of it.
type Rows struct {
	Columns []string
	// A value is nil, int64, float64, string or []byte.
	Rows [][]any
	// Rows that SQLite has read and written for it.
	Read, Written int64
}

// Query runs an SQL statement on the object's database. A parameter is nil, bool, int, int32,
// int64, float64, string or []byte.
func Query(statement string, parameters ...any) (*Rows, error) {
	values := &block{}
	values.reset(len(parameters))
	for i, parameter := range parameters {
		if err := values.value(i, parameter); err != nil {
			return nil, &Error{Op: fmt.Sprintf("sql %q", statement), Reason: err.Error()}
		}
	}
	at, length := pointer(statement)
	n := hostSQLExec(at, length, values.place(), int32(len(parameters)))
	runtime.KeepAlive(values)
	if n < 0 {
		return nil, failure(fmt.Sprintf("sql %q", statement))
	}
	result := takenView(n)
	first, _ := result.array(0)
	rows := &Rows{
		Read:    result.integer(first + 2*slotSize),
		Written: result.integer(first + 3*slotSize),
	}
	columns, count := result.array(first)
	for i := range count {
		rows.Columns = append(rows.Columns, string(result.text(columns+i*slotSize)))
	}
	cells, count := result.array(first + slotSize)
	rows.Rows = make([][]any, count)
	for i := range rows.Rows {
		cell, width := result.array(cells + i*slotSize)
		row := make([]any, width)
		for j := range row {
			row[j] = result.value(cell + j*slotSize)
		}
		rows.Rows[i] = row
	}
	return rows, nil
}

func (v view) integer(slot int) int64 {
	n, _ := v.value(slot).(int64)
	return n
}
