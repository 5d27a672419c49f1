// Package server starts throwaway servers as child processes on free loopback ports: PostgreSQL,
// RabbitMQ, Prometheus, Alertmanager and any command of ours. Tests and the testbed use it.
//
// It owns the folder os.TempDir()/orderwatch-<uid> and guarantees that nothing outlives its
// owner for long: on Linux a server is killed by the kernel when the process that started it
// ends, however it ends; everywhere, the next server started under the same folder first kills
// what a dead owner left running and removes its directories.
//
// Every server can be killed (SIGKILL), restarted on the same port with the same data, and
// stopped, which also removes its directory. A missing program gives an error that says which
// package to install. The methods of one server are safe for concurrent use; a restart and a
// stop that race are served one after the other.
package server
