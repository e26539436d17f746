package columns

import (
	"math"
	"testing"
)

func TestABadTableSaysWhere(t *testing.T) {
	for text, problem := range map[string]string{
		"":                 "line 1: the names of the columns are missing",
		"\n \n":            "line 1: the names of the columns are missing",
		"a,,b\n":           "line 1: a column has no name",
		"\na,a\n":          "line 2: two columns are named \"a\"",
		"a,b\n1,2\n\n3\n":  "line 4 has 1 numbers, but there are 2 names",
		"a,b\n1,2,\n":      "line 2 has 3 numbers, but there are 2 names",
		"a,b\n1, x \n":     "line 2: \"x\" is not a number",
		"a\n1e400\n":       "line 2: \"1e400\" is not a number",
		"a\nNaN\n":         "line 2: \"NaN\" is not a number",
		"a\n-inf\n":        "line 2: \"-inf\" is not a number",
		"a\n0x1p4\n":       "line 2: \"0x1p4\" is not a number",
		"a\n1_000\n":       "line 2: \"1_000\" is not a number",
		"a,b\r\n1,2\r\n3,": "line 3: \"\" is not a number",
	} {
		if _, err := Read(text); err == nil || err.Error() != problem {
			t.Errorf("%q: %v instead of %s", text, err, problem)
		}
	}
}

func TestAColumnThatIsNotThereIsNamed(t *testing.T) {
	table, err := Read("a,b\r\n1,2\r\n3,4")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Column("c"); err == nil || err.Error() != "there is no column \"c\"; there are a, b" {
		t.Error(err)
	}
	if b, err := table.Column("b"); err != nil || len(b) != 2 || b[1] != 4 {
		t.Error(b, err)
	}
}

func TestColumnsWithoutSpread(t *testing.T) {
	if c := Correlation([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(c) {
		t.Error(c)
	}
	if n := Normalize([]float64{7, 7}); n[0] != 0 || n[1] != 0 {
		t.Error(n)
	}
	if s := Describe(nil); s.Count != 0 || s.Sum != 0 || !math.IsNaN(s.Mean) {
		t.Error(s)
	}
}

func TestLargeNumbersKeepTheirDeviation(t *testing.T) {
	s := Describe([]float64{1e9 + 1, 1e9 + 2, 1e9 + 3})
	if math.Abs(s.StdDev-math.Sqrt(2.0/3)) > 1e-12 {
		t.Error(s)
	}
}
