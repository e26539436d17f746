//go:build goexperiment.simd && wasm && go1.27

package vector

import "simd/archsimd"

// SIMD says whether v128 is used.
const SIMD = true

// What is done at once: two registers of two numbers.
const width = 4

type pair = archsimd.Float64x2

func load(x []float64, at int) pair { return archsimd.LoadFloat64x2(x[at : at+2]) }

func lanes(x pair) float64 { return x.GetElem(0) + x.GetElem(1) }

func add(result, x, y []float64) {
	i := 0
	for ; i+2 <= len(x); i += 2 {
		load(x, i).Add(load(y, i)).Store(result[i : i+2])
	}
	for ; i < len(x); i++ {
		result[i] = x[i] + y[i]
	}
}

func sub(result, x, y []float64) {
	i := 0
	for ; i+2 <= len(x); i += 2 {
		load(x, i).Sub(load(y, i)).Store(result[i : i+2])
	}
	for ; i < len(x); i++ {
		result[i] = x[i] - y[i]
	}
}

func mul(result, x, y []float64) {
	i := 0
	for ; i+2 <= len(x); i += 2 {
		load(x, i).Mul(load(y, i)).Store(result[i : i+2])
	}
	for ; i < len(x); i++ {
		result[i] = x[i] * y[i]
	}
}

func sum(x []float64) float64 {
	var even, odd pair
	i := 0
	for ; i+width <= len(x); i += width {
		even = even.Add(load(x, i))
		odd = odd.Add(load(x, i+2))
	}
	total := lanes(even.Add(odd))
	for ; i < len(x); i++ {
		total += x[i]
	}
	return total
}

func sumInt32(x []int32) int64 {
	var low, high archsimd.Int64x2
	i := 0
	for ; i+4 <= len(x); i += 4 {
		four := archsimd.LoadInt32x4(x[i : i+4])
		low = low.Add(four.ExtendLo2ToInt64())
		high = high.Add(four.ExtendHi2ToInt64())
	}
	low = low.Add(high)
	total := low.GetElem(0) + low.GetElem(1)
	for ; i < len(x); i++ {
		total += int64(x[i])
	}
	return total
}

func dot(x, y []float64) float64 {
	var even, odd pair
	i := 0
	for ; i+width <= len(x); i += width {
		even = even.Add(load(x, i).Mul(load(y, i)))
		odd = odd.Add(load(x, i+2).Mul(load(y, i+2)))
	}
	total := lanes(even.Add(odd))
	for ; i < len(x); i++ {
		total += x[i] * y[i]
	}
	return total
}

func mapLinear(result, x []float64, factor, offset float64) {
	factors, offsets := archsimd.BroadcastFloat64x2(factor), archsimd.BroadcastFloat64x2(offset)
	i := 0
	for ; i+2 <= len(x); i += 2 {
		load(x, i).Mul(factors).Add(offsets).Store(result[i : i+2])
	}
	for ; i < len(x); i++ {
		result[i] = x[i]*factor + offset
	}
}

func clamp(result, x []float64, low, high float64) {
	lows, highs := archsimd.BroadcastFloat64x2(low), archsimd.BroadcastFloat64x2(high)
	i := 0
	for ; i+2 <= len(x); i += 2 {
		load(x, i).Max(lows).Min(highs).Store(result[i : i+2])
	}
	for ; i < len(x); i++ {
		result[i] = min(max(x[i], low), high)
	}
}

func minMax(x []float64) (low, high float64) {
	low, high = x[0], x[0]
	i := 0
	if len(x) >= 2 {
		lows := load(x, 0)
		highs := lows
		for i = 2; i+2 <= len(x); i += 2 {
			lows, highs = lows.Min(load(x, i)), highs.Max(load(x, i))
		}
		low, high = min(lows.GetElem(0), lows.GetElem(1)), max(highs.GetElem(0), highs.GetElem(1))
	}
	for ; i < len(x); i++ {
		low, high = min(low, x[i]), max(high, x[i])
	}
	return low, high
}
