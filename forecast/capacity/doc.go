// Package capacity says which stage saturates first, when, and what would change it.
//
// A stage is saturated in the first month in which its 95th percentile of waiting exceeds its
// deadline, or in which more work comes than can be done. Stages of short jobs that machines do
// without a break are judged by their busiest hour as if it lasted (the pointwise stationary
// approximation: Green, Kolesar 1991, Management Science 37), which errs on the safe side; people,
// newest-first lists and long jobs are simulated week by week. Package queueing does either.
//
// For each stage the package finds the largest volume of orders a month that it bears; dates,
// intervals and most of a what-if are then looked up against the forecast. "No saturation within the
// horizon" is an answer. Everything is pure; a Model is safe for concurrent use.
package capacity
