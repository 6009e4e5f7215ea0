package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// exitUsage is the status for errors of the stub itself.
const exitUsage = 2

type options struct {
	listen   string
	identity identity
	speed    float64
	config   stub.Config
	servers  string // a file; empty: the sample servers
	log      string // a file; empty: none
	faults   faultList
	command  []string
}

// process is what the command is connected to.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	signals        <-chan os.Signal // interrupts and terminations
	terminal       bool             // a terminal controls the process, and sends its interrupts to the command too
}

func (p process) run(args []string) int {
	opts, err := parse(args, p.stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(p.stderr, "rackspace-stub:", err)
		return exitUsage
	}
	status, err := p.serve(opts)
	if err != nil {
		fmt.Fprintln(p.stderr, "rackspace-stub:", err)
		return exitUsage
	}
	return status
}

// serve serves while a command runs, and returns its status. Without a command it
// serves until it is interrupted.
func (p process) serve(opts options) (status int, err error) {
	servers := stub.Samples()
	if opts.servers != "" {
		if servers, err = readServers(opts.servers, opts.speed); err != nil {
			return 0, err
		}
	}
	if opts.log != "" {
		log, err := openLog(opts.log, p.stderr)
		if err != nil {
			return 0, err
		}
		defer log.close() //nolint:errcheck // each request is written at once
		opts.config.Log = log.write
	}
	listener, err := net.Listen("tcp", opts.listen)
	if err != nil {
		return 0, fmt.Errorf("cannot listen: %w", err)
	}
	defer listener.Close() //nolint:errcheck // the server has closed it, unless it never ran
	block, err := openBlock(opts.config, servers)
	if err != nil {
		fmt.Fprintf(p.stderr, "rackspace-stub: %v; no server answers, so a verification of one fails\n", err)
	}
	defer block.close()
	for _, fault := range opts.faults {
		if err := fault.inject(block.cloud); err != nil {
			return 0, fmt.Errorf("-fault: %w", err)
		}
	}
	server := &http.Server{Handler: withAdmin(block.cloud, opts.speed), ReadHeaderTimeout: time.Minute}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	defer server.Close()      //nolint:errcheck // nothing is left to do about it

	variables := environment("http://"+listener.Addr().String(), opts.identity)
	if len(opts.command) > 0 {
		fmt.Fprintf(p.stderr, "rackspace-stub: the servers' addresses are %s\n", block.addresses)
		return p.execute(opts.command, variables), nil
	}
	announce(p.stdout, variables, block.servers)
	<-p.signals
	return 0, nil
}

func parse(args []string, stderr io.Writer) (options, error) {
	opts := options{identity: identityV2}
	flags := flag.NewFlagSet("rackspace-stub", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: rackspace-stub [flags] [-- COMMAND ARG…]")
		flags.PrintDefaults()
	}
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:0", "loopback `address` to listen on; port 0 takes a free one")
	flags.Var(&opts.identity, "identity", "`version` of the Identity API to use: v2.0 sets RACKSPACE_…, v3 sets OS_… for all clients of OpenStack")
	flags.Float64Var(&opts.speed, "speed", 1, "factor by which migrations are faster than observed; at 1 they take 7.2 s")
	flags.IntVar(&opts.config.ReadsPerMinute, "reads-per-minute", 0, "limit of reads; 0 is none, Rackspace has 1000")
	flags.IntVar(&opts.config.WritesPerMinute, "writes-per-minute", 0, "limit of writes; 0 is none, Rackspace has 100")
	flags.DurationVar(&opts.config.AutoConfirmAfter, "auto-confirm-after", 24*time.Hour, "how long a migration awaits confirmation until the cloud confirms it")
	flags.StringVar(&opts.servers, "servers", "", "JSON `file` with the servers, in place of the sample servers")
	flags.StringVar(&opts.log, "log", "", "`file` for the request log, with one JSON object a line; - is stderr")
	flags.Var(&opts.faults, "fault", "a fault as a `JSON` object, such as {\"call\":\"migrate\",\"status\":503,\"count\":1}; may be given several times")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	opts.command = flags.Args()
	host, _, err := net.SplitHostPort(opts.listen)
	ip := net.ParseIP(host)
	switch {
	case err != nil || ip == nil || !ip.IsLoopback():
		return opts, fmt.Errorf("-listen must be a loopback address with a port, such as 127.0.0.1:8774, not %q: the stub asks for no real credentials", opts.listen)
	case opts.speed <= 0:
		return opts, fmt.Errorf("-speed must be greater than 0, not %v", opts.speed)
	case opts.config.ReadsPerMinute < 0 || opts.config.WritesPerMinute < 0:
		return opts, errors.New("-reads-per-minute and -writes-per-minute must not be negative")
	case opts.config.AutoConfirmAfter <= 0:
		return opts, errors.New("-auto-confirm-after must be greater than 0")
	}
	opts.config.Timing = stub.ObservedTiming().Scaled(opts.speed)
	return opts, nil
}

type variable struct{ name, value string }

// environment has all variables that a command gets. By them the provider finds the stub,
// and a test finds the URL to control it at. The examples find the port at which the
// servers answer with an SSH banner. Their default is port 22, which only root can open.
func environment(url string, by identity) []variable {
	return append(by.variables(url), variable{"TF_VAR_ssh_port", strconv.Itoa(stub.PortSSH)}, variable{"TF_VAR_stub_url", url})
}

// announce prints the variables, as a shell reads them, and the servers.
func announce(w io.Writer, variables []variable, servers []stub.Server) {
	for _, v := range variables {
		fmt.Fprintf(w, "export %s=%s\n", v.name, v.value)
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "# SERVER\tREGION\tADDRESS\tID")
	for _, server := range servers {
		fmt.Fprintf(table, "# %s\t%s\t%s\t%s\n", server.Name, server.Region, server.AccessIPv4, server.ID)
	}
	_ = table.Flush()
	fmt.Fprintf(w, "\n# Running servers answer at their addresses: HTTP on port %d, an SSH banner on port %d.\n", stub.PortHTTP, stub.PortSSH)
}

// execute runs a command with the variables set, and returns its exit status.
func (p process) execute(command []string, variables []variable) int {
	child := exec.Command(command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = p.stdin, p.stdout, p.stderr
	child.Env = withoutCredentials(os.Environ())
	for _, v := range variables {
		child.Env = append(child.Env, v.name+"="+v.value)
	}
	if err := child.Start(); err != nil {
		fmt.Fprintln(p.stderr, "rackspace-stub: cannot run the command:", err)
		return exitUsage
	}
	err := p.wait(child)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		fmt.Fprintln(p.stderr, "rackspace-stub: cannot wait for the command:", err)
		return exitUsage
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// wait waits for a command and sends it the signals that the stub gets. The stub serves
// until the command has ended. An interrupt of the terminal is not sent: the command gets
// it from the terminal, and Terraform stops at once when it gets two.
func (p process) wait(child *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case received := <-p.signals:
			if received != os.Interrupt || !p.terminal {
				_ = child.Process.Signal(received) // it may have ended
			}
		}
	}
}

// withoutCredentials removes all variables with credentials and endpoints of a real cloud.
func withoutCredentials(environment []string) []string {
	var kept []string
	for _, assignment := range environment {
		name, _, _ := strings.Cut(assignment, "=")
		prefix, _, _ := strings.Cut(name, "_")
		switch prefix {
		case "RACKSPACE", "RAX", "RS", "OS":
		default:
			kept = append(kept, assignment)
		}
	}
	return kept
}
