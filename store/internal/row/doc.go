// Package row owns how the values of the domain become columns and come back. It is what the two
// drivers share besides their SQL, so that both keep the same thing. Functions are pure; a Names is
// safe for concurrent use.
package row

// Scanner is a row of either driver.
type Scanner interface{ Scan(dest ...any) error }
