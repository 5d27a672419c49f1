// Package series forecasts short, regularly spaced series such as orders a month: exponential
// smoothing chosen by AICc, Theta, an autoregression and their combination, with intervals.
//
// It owns the models and the measures of accuracy, and knows nothing of orders. Everything is a pure
// function of its arguments: no clock, no randomness, no shared state, so every call may run
// concurrently with every other. A series it cannot forecast is an error, never a NaN.
//
// Sources, by the names used in the comments of this package:
//   - Hyndman, Koehler, Ord, Snyder (2008), Forecasting with Exponential Smoothing, Springer.
//   - Assimakopoulos, Nikolopoulos (2000), The theta model, Int. J. of Forecasting 16.
//   - Fiorucci, Pellegrini, Louzada, Petropoulos, Koehler (2016), Models for optimising the theta
//     method and their relationship to state space models, Int. J. of Forecasting 32.
//   - Kolassa (2011), Combining exponential smoothing forecasts using Akaike weights, IJF 27.
//   - Petropoulos, Svetunkov (2020), A simple combination of univariate models, IJF 36.
//   - Makridakis, Hibon (2000), The M3-Competition, IJF 16; Makridakis, Spiliotis, Assimakopoulos
//     (2020), The M4 Competition, IJF 36.
package series
