package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort returns a loopback TCP port that nothing listens on. It lies below the range the
// kernel gives to outgoing connections, so that a server that is down for a while finds its own
// port free again.
func FreePort() (int, error) {
	const low, high = 10000, 32000
	var last error
	for range 100 {
		port := low + rand.IntN(high-low)
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			last = err
			continue
		}
		if err := listener.Close(); err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		return port, nil
	}
	return 0, errors.Join(errors.New("find a free port: none in 100 tries"), last)
}

func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		ports[i] = port
	}
	return ports, nil
}
