// Package queueing says how long work waits for a server: chance of waiting, mean and percentiles,
// for M/M/c, M/G/c and G/G/c, and by simulation where arrivals follow the hours of the week or
// servers keep a calendar.
//
// Times are in seconds, rates in jobs a second. Everything is a pure function of its arguments; a
// simulation's randomness is its seed. All of it is safe to call concurrently. A queue that cannot
// keep up is ErrUnstable, never an infinity or a NaN.
//
// How M/G/c is solved, by the squared coefficient of variation (SCV) of service:
//   - 0: M/D/c exactly, by the roots of its generating function (Crommelin 1932, Delay probability
//     formulae when the holding times are constant, Post Office Electrical Engineers' Journal 25).
//   - from 1/2: a two-phase distribution with the same two moments, three above 1 (Marie 1980, Calculating
//     equilibrium probabilities for λ(n)/Ck/1/N queues; Whitt 1982, Approximating a point process
//     by a renewal process I, Operations Research 30), whose M/PH/c is solved exactly as a
//     quasi-birth-death process (Neuts 1981, Matrix-Geometric Solutions in Stochastic Models;
//     Latouche, Ramaswami 1993, A logarithmic reduction algorithm for QBD processes, J. Appl. Prob.
//     30), its waiting time by the age of the oldest waiting job (Sengupta 1989, Markov processes
//     whose steady state distribution is matrix-exponential, Adv. Appl. Prob. 21).
//   - between: the parabola through the exact ratios to M/M/c at 0, 1/2 and 1 (after Tijms 2003, A First
//     Course in Stochastic Models, 9.6).
//   - many servers: Kimura's interpolation (1986, A two-moment approximation for the mean waiting time
//     in the GI/G/s queue, Management Science 32), with M/D/c by Cosmetatos (1975).
//
// Arrivals that are not Poisson scale the wait by Allen and Cunneen's (ca² + cs²) / (1 + cs²).
package queueing
