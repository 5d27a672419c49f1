package remaining

import "sync"

const parallelFrom = 4096 // rows: below, starting goroutines costs more than they save

// spread calls do for 0 … n-1, on several goroutines if there are rows enough. Each call must write to
// places of its own, so that the result does not depend on the number of workers.
func spread(n, rows, workers int, do func(i int)) {
	workers = min(workers, n)
	if rows < parallelFrom || workers < 2 {
		for i := range n {
			do(i)
		}
		return
	}
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wait.Wait()
}

// inParts calls do for parts of 0 … n-1, likewise.
func inParts(n, workers int, do func(from, to int)) {
	if n < parallelFrom || workers < 2 {
		do(0, n)
		return
	}
	spread(workers, n, workers, func(w int) { do(n*w/workers, n*(w+1)/workers) })
}
