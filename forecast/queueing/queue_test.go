package queueing_test

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/alexandrite/orderwatch/forecast/queueing"
)

func table(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "queueing", name))
	if err != nil {
		t.Skipf("the shared data are not on this machine: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestErlangCAgreesWithAnotherPackage(t *testing.T) {
	for _, r := range table(t, "erlangC_Rqueueing_package.csv") {
		servers, want := int(number(t, r[0])), number(t, r[3])
		got := queueing.ErlangC(servers, number(t, r[2]))
		if math.Abs(got-want) > 1e-9*math.Max(1, want) {
			t.Errorf("c %s, a %s: %.12g, want %.12g", r[0], r[2], got, want)
		}
	}
}

func TestErlangCByHand(t *testing.T) {
	cases := map[string]struct {
		servers int
		a, want float64
	}{
		"one server waits with its load":      {1, 0.3, 0.3},
		"two servers":                         {2, 1, 1.0 / 3},
		"no load":                             {4, 0, 0},
		"as much load as servers":             {4, 4, 1},
		"a hundred thousand servers, at ease": {100000, 50000, 0},
	}
	for name, c := range cases {
		if got := queueing.ErlangC(c.servers, c.a); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	// Halfin, Whitt (1981): with β = (1−ρ)√c fixed the chance tends to 1/(1 + β·Φ(β)/φ(β)).
	c := 1e6
	phi := math.Exp(-0.5) / math.Sqrt(2*math.Pi)
	want := 1 / (1 + 0.5*math.Erfc(-1/math.Sqrt2)/phi)
	if got := queueing.ErlangC(int(c), c-math.Sqrt(c)); math.Abs(got-want) > 1e-3 {
		t.Errorf("a million servers: %v, want %v", got, want)
	}
}

func TestWaitingAgreesWithTheExactTable(t *testing.T) {
	for _, r := range table(t, "exact_MGc_reference.csv") {
		c := number(t, r[1])
		w := solve(t, number(t, r[2]), queueing.Service{Mean: 1, SCV: number(t, r[3])}, int(c))
		for i, got := range map[int]float64{4: w.Probability, 5: w.Mean, 6: w.Length} {
			if want := number(t, r[i]); math.Abs(got-want) > 1e-6*want {
				t.Errorf("%v, column %d: %.9g, want %.9g", r[:4], i, got, want)
			}
		}
	}
}

func solve(t testing.TB, rho float64, s queueing.Service, servers int) *queueing.Wait {
	t.Helper()
	w, err := queueing.Solve(queueing.Queue{Rate: rho * float64(servers) / s.Mean, Service: s, Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Erlang service of k phases has an SCV of 1/k: between the constant and the two-phase, where the
// package interpolates. The truth here is the stationary chain itself, by sweeps.
func TestErlangServiceBetweenTheExactOnes(t *testing.T) {
	for _, k := range []int{3, 5} {
		for _, servers := range []int{2} {
			for _, rho := range []float64{0.4, 0.7} {
				probability, length := erlangChain(k, servers, rho)
				w := solve(t, rho, queueing.Service{Mean: 1, SCV: 1 / float64(k)}, servers)
				if math.Abs(w.Length/length-1) > 0.005 || math.Abs(w.Probability/probability-1) > 0.005 {
					t.Errorf("M/E%d/%d at %v: Lq %.6g, want %.6g; P %.6g, want %.6g", k, servers, rho, w.Length, length, w.Probability, probability)
				}
			}
		}
	}
}

// erlangChain sweeps the chain of M/Ek/c, whose state is the number waiting and how many servers are
// in each phase, to rest.
func erlangChain(k, servers int, rho float64) (probability, length float64) {
	type state [7]int // phases 0..k-1, then waiting
	const most = 90
	rate, speed := rho*float64(servers), float64(k)
	at := map[state]float64{{}: 1}
	for range 6000 {
		next := make(map[state]float64, len(at))
		total := rate + speed*float64(servers)
		for s, p := range at {
			busy := 0
			for _, n := range s[:k] {
				busy += n
			}
			stay := speed * float64(servers-busy)
			up := s
			switch {
			case busy < servers:
				up[0]++
			case s[6] < most:
				up[6]++
			}
			next[up] += p * rate / total
			for j := range k {
				if s[j] == 0 {
					continue
				}
				to := s
				to[j]--
				switch {
				case j+1 < k:
					to[j+1]++
				case s[6] > 0:
					to[0]++
					to[6]--
				}
				next[to] += p * speed * float64(s[j]) / total
			}
			next[s] += p * stay / total
		}
		moved := 0.0
		for s, p := range next {
			moved += math.Abs(p - at[s])
		}
		at = next
		if moved < 1e-8 {
			break
		}
	}
	for s, p := range at {
		busy := 0
		for _, n := range s[:k] {
			busy += n
		}
		if busy == servers {
			probability += p
			length += p * float64(s[6])
		}
	}
	return probability, length
}

func TestPercentilesOfTheExponentialQueueByItsFormula(t *testing.T) {
	for _, servers := range []int{1, 3, 12} {
		plain := solve(t, 0.85, queueing.Service{Mean: 60, SCV: 1}, servers)
		phases := solve(t, 0.85, queueing.Service{Mean: 60, SCV: 1, Third: 6}, servers)
		for _, p := range []float64{0.5, 0.9, 0.95, 0.99, 0.9999} {
			want, got := plain.Percentile(p), phases.Percentile(p)
			if math.Abs(got-want) > 1e-6*(1+want) {
				t.Errorf("%d servers, %v: %v, want %v", servers, p, got, want)
			}
			if beyond := phases.Beyond(got); got > 0 && math.Abs(beyond-(1-p)) > 1e-6 {
				t.Errorf("%d servers: %v wait longer than the %v percentile", servers, beyond, p)
			}
		}
	}
}

func TestManyServersJoinTheExactSolution(t *testing.T) {
	for _, scv := range []float64{0, 0.25, 0.5, 2, 4} {
		for _, rho := range []float64{0.85, 0.95} {
			s := queueing.Service{Mean: 1, SCV: scv}
			exact, many := solve(t, rho, s, 100), solve(t, rho, s, 101)
			if ratio := many.Mean / exact.Mean; ratio < 0.9 || ratio > 1.02 {
				t.Errorf("SCV %v at %v: 101 servers wait %v of what 100 do", scv, rho, ratio)
			}
		}
	}
}

func TestQueuesThatCannotBeSolvedSayWhy(t *testing.T) {
	s := queueing.Service{Mean: 10, SCV: 1}
	cases := map[string]struct {
		q        queueing.Queue
		unstable bool
	}{
		"full load":           {queueing.Queue{Rate: 0.1, Service: s, Servers: 1}, true},
		"overload":            {queueing.Queue{Rate: 5, Service: s, Servers: 3}, true},
		"no servers":          {queueing.Queue{Rate: 0.01, Service: s}, false},
		"no service time":     {queueing.Queue{Rate: 0.01, Servers: 1}, false},
		"a negative rate":     {queueing.Queue{Rate: -1, Service: s, Servers: 1}, false},
		"a rate of NaN":       {queueing.Queue{Rate: math.NaN(), Service: s, Servers: 1}, false},
		"an endless service":  {queueing.Queue{Rate: 0.1, Service: queueing.Service{Mean: math.Inf(1)}, Servers: 1}, false},
		"a negative variance": {queueing.Queue{Rate: 0.01, Service: queueing.Service{Mean: 1, SCV: -1}, Servers: 1}, false},
	}
	for name, c := range cases {
		if _, err := queueing.Solve(c.q); err == nil || errors.Is(err, queueing.ErrUnstable) != c.unstable {
			t.Errorf("%s: %v", name, err)
		}
	}
	w, err := queueing.Solve(queueing.Queue{Service: s, Servers: 1})
	if err != nil || w.Mean != 0 || w.Percentile(0.99) != 0 || w.Beyond(0) != 0 {
		t.Errorf("no arrivals: %+v, %v", w, err)
	}
}

func TestLawsOfWaiting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		servers := rapid.IntRange(1, 12).Draw(rt, "servers")
		rho := rapid.Float64Range(0.05, 0.97).Draw(rt, "rho")
		s := queueing.Service{Mean: 1, SCV: rapid.Float64Range(0, 12).Draw(rt, "scv")}
		if rapid.Bool().Draw(rt, "heavy") {
			s.Third = (1 + s.SCV) * (1 + s.SCV) * (1 + s.SCV)
		}
		q := queueing.Queue{Rate: rho * float64(servers), Service: s, Servers: servers}
		w := must(rt, q)
		if math.Abs(w.Length-q.Rate*w.Mean) > 1e-9*(1+w.Length) {
			rt.Fatalf("Little: Lq %v, λW %v", w.Length, q.Rate*w.Mean)
		}
		if !(w.Probability > 0 && w.Probability <= 1) || !(w.Mean > 0) {
			rt.Fatalf("wait %+v", w)
		}
		p95 := w.Percentile(0.95)

		more := q
		more.Servers++
		if m := must(rt, more); m.Mean > w.Mean*(1+1e-9) || m.Percentile(0.95) > p95*(1+1e-6)+1e-9 {
			rt.Fatalf("one server more waits longer: %v to %v, p95 %v to %v", w.Mean, m.Mean, p95, m.Percentile(0.95))
		}
		fast := q
		fast.Service.Mean *= 0.9
		if m := must(rt, fast); m.Mean > w.Mean*(1+1e-9) || m.Percentile(0.95) > p95*(1+1e-6)+1e-9 {
			rt.Fatalf("faster service waits longer: %v to %v", w.Mean, m.Mean)
		}
		minutes := q
		minutes.Rate /= 60
		minutes.Service.Mean *= 60
		if m := must(rt, minutes); math.Abs(m.Mean/60/w.Mean-1) > 1e-6 || math.Abs(m.Percentile(0.95)/60-p95) > 1e-5*(1+p95) {
			rt.Fatalf("another unit of time, another wait: %v, %v", w.Mean, m.Mean/60)
		}
	})
}

func must(t interface{ Fatal(...any) }, q queueing.Queue) *queueing.Wait {
	w, err := queueing.Solve(q)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestMeasuredTakesTheMomentsAsTheyAre(t *testing.T) {
	s, err := queueing.Measured([]float64{1, 3, math.NaN(), -5, math.Inf(1)})
	want := queueing.Service{Mean: 2, SCV: 0.25, Third: 14.0 / 8}
	if err != nil || math.Abs(s.Mean-want.Mean)+math.Abs(s.SCV-want.SCV)+math.Abs(s.Third-want.Third) > 1e-12 {
		t.Errorf("%+v, %v", s, err)
	}
	for name, sample := range map[string][]float64{"none": nil, "zeros": {0, 0}, "NaN": {math.NaN()}} {
		if _, err := queueing.Measured(sample); !errors.Is(err, queueing.ErrNoSample) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkSolveTwelveServers(b *testing.B) {
	for b.Loop() {
		solve(b, 0.9, queueing.Service{Mean: 150, SCV: 1.5}, 12).Percentile(0.95)
	}
}
