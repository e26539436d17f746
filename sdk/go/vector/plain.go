//go:build !(goexperiment.simd && wasm && go1.27)

package vector

// SIMD says whether v128 is used.
const SIMD = false

func add(result, x, y []float64) {
	for i := range x {
		result[i] = x[i] + y[i]
	}
}

func sub(result, x, y []float64) {
	for i := range x {
		result[i] = x[i] - y[i]
	}
}

func mul(result, x, y []float64) {
	for i := range x {
		result[i] = x[i] * y[i]
	}
}

func sum(x []float64) (total float64) {
	for _, number := range x {
		total += number
	}
	return total
}

func sumInt32(x []int32) (total int64) {
	for _, number := range x {
		total += int64(number)
	}
	return total
}

func dot(x, y []float64) (total float64) {
	for i := range x {
		total += x[i] * y[i]
	}
	return total
}

func mapLinear(result, x []float64, factor, offset float64) {
	for i := range x {
		result[i] = x[i]*factor + offset
	}
}

func clamp(result, x []float64, low, high float64) {
	for i := range x {
		result[i] = min(max(x[i], low), high)
	}
}

func minMax(x []float64) (low, high float64) {
	low, high = x[0], x[0]
	for _, number := range x {
		low, high = min(low, number), max(high, number)
	}
	return low, high
}
