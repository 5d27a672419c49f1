package queueing

import (
	"math"
	"math/cmplx"
)

// constantWait is the chance of waiting and the mean number waiting in M/D/c, exactly, for an offered
// load below servers. Looked at every service time, the queue is a bulk queue whose generating
// function has the c − 1 roots inside the unit circle of zᶜ = e^(a(z−1)) (Crommelin 1932; Bailey 1954, On
// queueing processes with bulk service, J. Royal Stat. Soc. B 16).
func constantWait(servers int, a float64) (probability, length float64) {
	c := float64(servers)
	product, sum := complex(1, 0), complex(0, 0)
	for k := 1; k < servers; k++ {
		z := insideRoot(c, a, k)
		product *= 1 - z
		sum += 1 / (1 - z)
	}
	probability = 1 - (c-a)/real(product)
	length = real(sum) - (c*(c-1)-a*a)/(2*(c-a))
	return min(1, max(0, probability)), max(0, length)
}

// insideRoot solves z = e^((a(z−1) + 2πik)/c) by Newton's method after a few plain iterations, which
// contract by a·|z|/c.
func insideRoot(c, a float64, k int) complex128 {
	turn := complex(0, 2*math.Pi*float64(k)/c)
	load := complex(a/c, 0)
	z := complex(0, 0)
	for i := range 200 {
		next := cmplx.Exp(load*(z-1) + turn)
		step := next - z
		if i >= 20 {
			step /= 1 - load*next
		}
		z += step
		if cmplx.Abs(step) < 1e-16 {
			break
		}
	}
	return z
}
