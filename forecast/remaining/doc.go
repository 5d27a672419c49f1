// Package remaining predicts how long an order still takes: from the events seen so far it gives the
// distribution of the time from the last of them to the order's end.
//
// The point forecast is a blend of gradient-boosted regression trees fitted to the absolute error, so
// it is a median. Around it stands the error it made on cases that were not trained on, in groups of
// like forecasts; hence of the orders that are given probability p of breaking a promise, about p do.
//
// Nothing a forecast uses is later than the last event of its prefix. What other orders do
// enters through a Tracker, which is shown events in the order in which they happen.
//
// The package is pure. Train starts goroutines and ends them before it returns; it depends on the
// cases and the options alone, whatever the number of workers. A Model is immutable and safe for
// concurrent use; a Tracker belongs to one goroutine.
package remaining
