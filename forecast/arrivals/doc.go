// Package arrivals forecasts orders a month (or a week): how many, how fast they grow, and how sure
// that is.
//
// It owns what is particular to counts of orders: their Poisson noise and what exceeds it, gaps, the
// month that is not over yet, jumps of the level such as the opening of a partner API, and a prior
// for the trend where history is short. Models for longer history come from package series.
//
// A history that can be answered is answered, with notes in plain English on what cannot be said; one
// that cannot is an error. No answer holds a NaN. Everything is a pure function of its arguments and
// safe to call concurrently.
//
// Sources:
//   - McCullagh, Nelder (1989), Generalized Linear Models, 2nd ed., ch. 6 and 9: counts with
//     over-dispersion, fitted by iterated weighted least squares.
//   - Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., 14.8: a normal prior as one more
//   - Yao (1988), Estimating the number of change-points via Schwarz' criterion, Stat. & Prob. Letters
//     6; Scott, Knott (1974), Biometrics 30: binary segmentation.
//   - Burnham, Anderson (2002), Model Selection and Multimodel Inference: Akaike weights.
package arrivals
