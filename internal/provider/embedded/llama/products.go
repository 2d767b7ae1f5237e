package llama

import "math"

// product sets y to x·Wᵀ: rows of x, each of cols, by rows of W.
func product(y, x, w []float32, rows, cols, outs int) {
	t := 0
	for ; t+4 <= rows; t += 4 {
		x0, x1, x2, x3 := x[t*cols:(t+1)*cols], x[(t+1)*cols:(t+2)*cols], x[(t+2)*cols:(t+3)*cols], x[(t+3)*cols:(t+4)*cols]
		for o := range outs {
			row := w[o*cols : (o+1)*cols]
			var a, b, c, d float32
			for i, v := range row {
				a += v * x0[i]
				b += v * x1[i]
				c += v * x2[i]
				d += v * x3[i]
			}
			y[t*outs+o], y[(t+1)*outs+o], y[(t+2)*outs+o], y[(t+3)*outs+o] = a, b, c, d
		}
	}
	for ; t < rows; t++ {
		one := x[t*cols : (t+1)*cols]
		for o := range outs {
			y[t*outs+o] = dot(w[o*cols:(o+1)*cols], one)
		}
	}
}

// dot is the sum of the products, in four sums that do not wait for each other.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// back adds to dx and dw what dy means for them, of y = x·Wᵀ.
func back(dx, dw, dy, x, w []float32, rows, cols, outs int) {
	t := 0
	for ; t+4 <= rows; t += 4 {
		x0, x1, x2, x3 := x[t*cols:(t+1)*cols], x[(t+1)*cols:(t+2)*cols], x[(t+2)*cols:(t+3)*cols], x[(t+3)*cols:(t+4)*cols]
		d0, d1, d2, d3 := dx[t*cols:(t+1)*cols], dx[(t+1)*cols:(t+2)*cols], dx[(t+2)*cols:(t+3)*cols], dx[(t+3)*cols:(t+4)*cols]
		for o := range outs {
			g0, g1, g2, g3 := dy[t*outs+o], dy[(t+1)*outs+o], dy[(t+2)*outs+o], dy[(t+3)*outs+o]
			row, grad := w[o*cols:(o+1)*cols], dw[o*cols:(o+1)*cols]
			for i, v := range row {
				d0[i] += g0 * v
				d1[i] += g1 * v
				d2[i] += g2 * v
				d3[i] += g3 * v
				grad[i] += g0*x0[i] + g1*x1[i] + g2*x2[i] + g3*x3[i]
			}
		}
	}
	for ; t < rows; t++ {
		one, d := x[t*cols:(t+1)*cols], dx[t*cols:(t+1)*cols]
		for o := range outs {
			g := dy[t*outs+o]
			row, grad := w[o*cols:(o+1)*cols], dw[o*cols:(o+1)*cols]
			for i, v := range row {
				d[i] += g * v
				grad[i] += g * one[i]
			}
		}
	}
}

// normalise sets y to x over its root mean square, times the gain, row by row,
// and scale to what each row was multiplied by.
func normalise(y, x, gain, scale []float32, rows, cols int) {
	for t := range rows {
		row, out := x[t*cols:(t+1)*cols], y[t*cols:(t+1)*cols]
		var sum float32
		for _, v := range row {
			sum += v * v
		}
		r := float32(1 / math.Sqrt(float64(sum)/float64(cols)+epsilon))
		scale[t] = r
		for i, v := range row {
			out[i] = v * r * gain[i]
		}
	}
}

// denormalise adds to dx and dgain what dy means for them.
func denormalise(dx, dgain, dy, x, gain, scale []float32, rows, cols int) {
	for t := range rows {
		row, d, g := x[t*cols:(t+1)*cols], dx[t*cols:(t+1)*cols], dy[t*cols:(t+1)*cols]
		r := scale[t]
		var sum float32
		for i, v := range row {
			sum += g[i] * gain[i] * v
			dgain[i] += g[i] * v * r
		}
		shrink := r * r * r * sum / float32(cols)
		for i, v := range row {
			d[i] += g[i]*gain[i]*r - v*shrink
		}
	}
}

// softmax makes shares of the numbers, in place.
func softmax(p []float32) {
	most := p[0]
	for _, v := range p {
		most = max(most, v)
	}
	var sum float32
	for i, v := range p {
		p[i] = float32(math.Exp(float64(v - most)))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
}

func sigmoid(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }
