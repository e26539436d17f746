package vector

import (
	"math"
	"testing"
)

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func TestWhatDoesNotFitPanics(t *testing.T) {
	two, three := make([]float64, 2), make([]float64, 3)
	for name, f := range map[string]func(){
		"add":    func() { Add(two, three, three) },
		"sub":    func() { Sub(three, two, three) },
		"mul":    func() { Mul(three, three, two) },
		"dot":    func() { Dot(two, three) },
		"map":    func() { MapLinear(two, three, 1, 1) },
		"clamp":  func() { Clamp(two, two, 2, 1) },
		"nan":    func() { Clamp(two, two, math.NaN(), 1) },
		"minmax": func() { MinMax(nil) },
	} {
		if !panics(f) {
			t.Error(name)
		}
	}
}

func TestNaNStays(t *testing.T) {
	for at := range 5 {
		x := []float64{1, 2, 3, 4, 5}
		x[at] = math.NaN()
		if low, high := MinMax(x); !math.IsNaN(low) || !math.IsNaN(high) {
			t.Error(at, low, high)
		}
		Clamp(x, x, 2, 3)
		if !math.IsNaN(x[at]) {
			t.Error(at, x)
		}
	}
}

func TestWholeNumbersDoNotOverflow(t *testing.T) {
	if sum := SumInt32([]int32{math.MaxInt32, math.MaxInt32, math.MaxInt32, math.MaxInt32, 1}); sum != 4*math.MaxInt32+1 {
		t.Error(sum)
	}
}
