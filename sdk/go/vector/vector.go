// Package vector does arithmetic on slices of numbers.
//
// Built with GOEXPERIMENT=simd by Go 1.27 or newer for GOARCH=wasm, it uses v128, two numbers at a
// time and two sums side by side; else it has plain loops. [SIMD] says which. Sums of float64 add in
// another order than a loop does, so their last digits may differ.
//
// Slices of one call must be equally long, and a result may be one of the arguments; else it panics.
package vector

import "fmt"

// Add writes x+y to result.
func Add(result, x, y []float64) { equal(len(result), len(x), len(y)); add(result, x, y) }

// Sub writes x-y to result.
func Sub(result, x, y []float64) { equal(len(result), len(x), len(y)); sub(result, x, y) }

// Mul writes x*y to result.
func Mul(result, x, y []float64) { equal(len(result), len(x), len(y)); mul(result, x, y) }

// Sum is the sum of x, 0 if it is empty.
func Sum(x []float64) float64 { return sum(x) }

// SumInt32 is the sum of x, which cannot overflow.
func SumInt32(x []int32) int64 { return sumInt32(x) }

// Dot is the sum of x*y.
func Dot(x, y []float64) float64 { equal(len(x), len(y), len(y)); return dot(x, y) }

// Scale writes x*factor to result.
func Scale(result, x []float64, factor float64) { MapLinear(result, x, factor, 0) }

// MapLinear writes x*factor+offset to result.
func MapLinear(result, x []float64, factor, offset float64) {
	equal(len(result), len(x), len(x))
	mapLinear(result, x, factor, offset)
}

// Clamp writes x to result, with what is below low as low and what is above high as high. NaN stays NaN.
func Clamp(result, x []float64, low, high float64) {
	equal(len(result), len(x), len(x))
	if !(low <= high) {
		panic(fmt.Sprintf("vector: clamp from %v to %v", low, high))
	}
	clamp(result, x, low, high)
}

// MinMax gives the smallest and the largest of x; both are NaN if one is. It panics if x is empty.
func MinMax(x []float64) (low, high float64) {
	if len(x) == 0 {
		panic("vector: the least of no numbers")
	}
	return minMax(x)
}

func equal(a, b, c int) {
	if a != b || b != c {
		panic(fmt.Sprintf("vector: slices of %d, %d and %d elements", a, b, c))
	}
}
