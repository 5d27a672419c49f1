//go:build !race

package main

const raceSlowness = 1
