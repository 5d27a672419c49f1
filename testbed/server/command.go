package server

import (
	"context"
	"errors"
	"time"
)

// CommandOptions says how to start a command of ours as a server.
type CommandOptions struct {
	Folder   string            // Defaults to DefaultFolder().
	Name     string            // Names the directory and the errors.
	Argv     []string          // Program and arguments; {listen} stands for the free address 127.0.0.1:port, {dir} for the command's directory.
	Env      []string          // NAME=value, added to our own environment.
	Files    map[string]string // Written into the command's directory, which is also where it runs; with {listen} and {dir} filled in as in Argv.
	Patience time.Duration     // How long the start may take. Defaults to a minute.
	Ready    string            // Path that answers 200 once the command is ready, for example /readyz. Defaults to none: ready when started.
}

// Command is a command of ours that runs as a server.
type Command struct {
	*Process
	url string
}

// StartCommand starts a command and returns when it is ready. ctx bounds the start only.
func StartCommand(ctx context.Context, opts CommandOptions) (*Command, error) {
	if opts.Name == "" || len(opts.Argv) == 0 {
		return nil, errors.New("start command: name and argv are required")
	}
	p, url, err := startWeb(ctx, webServer{
		name: opts.Name, folder: opts.Folder, files: opts.Files, env: opts.Env, readyURL: opts.Ready, patience: opts.Patience,
		argv: func(dir, listen string) []string {
			fill := placeholders(dir, listen)
			argv := make([]string, len(opts.Argv))
			for i, arg := range opts.Argv {
				argv[i] = fill.Replace(arg)
			}
			return argv
		},
	})
	if err != nil {
		return nil, err
	}
	return &Command{Process: p, url: url}, nil
}

// URL returns http://127.0.0.1:port, without a final slash.
func (c *Command) URL() string { return c.url }
