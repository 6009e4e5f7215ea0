//go:build linux

// The tests of this package run commands of a Unix shell and send them signals. They
// also need all of 127.0.0.0/8, of which other systems have only 127.0.0.1 on loopback.

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/stub"
)

// invoke runs the command as from a shell.
func invoke(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs output
	p := process{stdin: strings.NewReader("typed"), stdout: &out, stderr: &errs}
	status = p.run(args)
	return status, out.text.String(), errs.text.String()
}

// output collects what the stub and its command write, also when they write at the same
// time.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func TestRun_passesTheCommandsExitStatusThrough(t *testing.T) {
	tests := []struct {
		script string
		want   int
	}{
		{"exit 0", 0},
		{"exit 7", 7},
		{"kill -KILL $$", 128 + 9},
	}
	for _, test := range tests {
		t.Run(test.script, func(t *testing.T) {
			if got, _, stderr := invoke(t, "--", "sh", "-c", test.script); got != test.want {
				t.Errorf("got status %d (%s), want %d", got, stderr, test.want)
			}
		})
	}
}

func TestRun_leadsTheCommandToTheStubAndNowhereElse(t *testing.T) {
	t.Setenv("RACKSPACE_COMPUTE_ENDPOINT", "https://elsewhere.example")
	t.Setenv("RAX_API_KEY", "real")
	t.Setenv("RS_TENANT_ID", "real")
	t.Setenv("OS_PASSWORD", "real")
	t.Setenv("UNRELATED", "kept")
	status, stdout, _ := invoke(t, "-speed", "10", "--", "sh", "-c", "env; cat")
	if status != 0 {
		t.Fatalf("got status %d", status)
	}
	for _, want := range []string{"RACKSPACE_IDENTITY_ENDPOINT=http://127.0.0.1:", "RACKSPACE_USERNAME=demo", "RACKSPACE_API_KEY=", "RACKSPACE_REGION=ORD", "TF_VAR_ssh_port=2222", "UNRELATED=kept", "typed"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the command does not see %s", want)
		}
	}
	for _, unwanted := range []string{"elsewhere", "real"} {
		if strings.Contains(stdout, unwanted) {
			t.Errorf("the command sees %s:\n%s", unwanted, stdout)
		}
	}
}

func TestRun_answersWhileTheCommandRuns(t *testing.T) {
	const ask = `exec 3<>"/dev/tcp/127.0.0.1/$(echo "$RACKSPACE_IDENTITY_ENDPOINT" | sed 's#.*:\([0-9]*\)/.*#\1#')"
printf 'GET /nothing HTTP/1.0\r\n\r\n' >&3; head -n 1 <&3`
	_, stdout, stderr := invoke(t, "--", "bash", "-c", ask)
	if !strings.Contains(stdout, "404") {
		t.Errorf("got %q (%s), want the stub's 404", stdout, stderr)
	}
}

func TestRun_saysWhatIsWrong(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"another address", []string{"-listen", "0.0.0.0:80"}, "must be a loopback address"},
		{"no address", []string{"-listen", "here"}, "must be a loopback address"},
		{"a name", []string{"-listen", "localhost:0"}, "must be a loopback address"},
		{"an invalid port", []string{"-listen", "127.0.0.1:99999"}, "cannot listen"},
		{"an unknown version of the Identity API", []string{"-identity", "v1"}, "it must be v2.0 or v3"},
		{"no speed", []string{"-speed", "0"}, "-speed must be greater than 0"},
		{"nonsense", []string{"-speed", "fast"}, "invalid value"},
		{"a negative limit", []string{"-reads-per-minute", "-1"}, "must not be negative"},
		{"a negative time", []string{"-auto-confirm-after", "-1s"}, "must be greater than 0"},
		{"an unknown flag", []string{"-frobnicate"}, "not defined"},
		{"an unknown command", []string{"--", "no-such-command-here"}, "cannot run the command"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := invoke(t, test.args...)
			if status != exitUsage || !strings.Contains(stderr, test.want) {
				t.Errorf("got status %d and %q, want %d and %q", status, stderr, exitUsage, test.want)
			}
		})
	}
}

func TestRun_printsItsUsage(t *testing.T) {
	if status, _, stderr := invoke(t, "-h"); status != 0 || !strings.Contains(stderr, "usage: rackspace-stub") {
		t.Errorf("got status %d and %q, want the usage", status, stderr)
	}
}

func TestRun_servesUntilItIsInterrupted(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			signals := make(chan os.Signal, 1)
			out, written := io.Pipe()
			ended := make(chan int)
			go func() { ended <- process{stdout: written, stderr: io.Discard, signals: signals}.run(nil) }()
			lines := bufio.NewScanner(out)
			var announced []string
			for lines.Scan() {
				announced = append(announced, lines.Text())
				if strings.Contains(lines.Text(), stub.SampleDFW1) {
					break
				}
			}
			if !strings.HasPrefix(announced[0], "export RACKSPACE_IDENTITY_ENDPOINT=http://127.0.0.1:") {
				t.Errorf("got %q first, want the variables to export", announced[0])
			}
			for _, sample := range stub.Samples() {
				if text := strings.Join(announced, "\n"); !strings.Contains(text, sample.Name) || !strings.Contains(text, sample.ID) {
					t.Errorf("%s is not announced", sample.Name)
				}
			}
			go io.Copy(io.Discard, out) //nolint:errcheck // it ends with the test
			signals <- signal
			select {
			case status := <-ended:
				if status != 0 {
					t.Errorf("got status %d, want 0", status)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the stub did not end")
			}
		})
	}
}

func TestRun_sendsSignalsToTheCommandAndWaitsForIt(t *testing.T) {
	const script = `trap 'echo interrupted' INT; trap 'echo tidied; exit 3' TERM; echo ready; while :; do sleep 0.02; done`
	tests := []struct {
		name     string
		terminal bool
		signals  []os.Signal
		want     string
	}{
		{"a termination", true, []os.Signal{syscall.SIGTERM}, "tidied\n"},
		{"an interrupt that came to the stub alone", false, []os.Signal{os.Interrupt, syscall.SIGTERM}, "interrupted\ntidied\n"},
		{"a terminal's interrupt, which the command gets itself", true, []os.Signal{os.Interrupt, syscall.SIGTERM}, "tidied\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signals := make(chan os.Signal)
			var stdout bytes.Buffer
			ready := &notifier{Writer: &stdout, seen: make(chan struct{}, 8)}
			ended := make(chan int)
			p := process{stdout: ready, stderr: io.Discard, signals: signals, terminal: test.terminal}
			go func() { ended <- p.run([]string{"--", "bash", "-c", script}) }()
			<-ready.seen
			for i, signal := range test.signals {
				signals <- signal
				if i < len(test.signals)-1 && !test.terminal {
					<-ready.seen
				}
			}
			if status := <-ended; status != 3 || stdout.String() != "ready\n"+test.want {
				t.Errorf("got status %d and %q, want the command's own end", status, stdout.String())
			}
		})
	}
}

// notifier is a writer that sends to a channel after each write.
type notifier struct {
	io.Writer
	seen chan struct{}
}

func (n *notifier) Write(p []byte) (int, error) {
	written, err := n.Writer.Write(p)
	n.seen <- struct{}{}
	return written, err
}

// serve runs a stub until the test ends, and returns what it announced.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	signals := make(chan os.Signal, 1)
	out, written := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- process{stdout: written, stderr: io.Discard, signals: signals}.run(args)
		_ = written.Close() // it may have announced nothing
	}()
	var announced strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		announced.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "# Running servers") {
			break
		}
	}
	t.Cleanup(func() {
		signals <- os.Interrupt
		if status := <-ended; status != 0 {
			t.Errorf("got status %d, want 0", status)
		}
	})
	return announced.String()
}

// wantMatch returns what matches a pattern in what a stub announced.
func wantMatch(t *testing.T, announced, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindString(announced)
	if found == "" {
		t.Fatalf("got %s, want %s in it", announced, pattern)
	}
	return found
}

// ask sends a request, and returns the status and the body of the answer.
func ask(t *testing.T, method, url, body string) (status, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // all of it is read
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status, string(read)
}

func TestRun_givesTwoStubsDifferentAddresses(t *testing.T) {
	address := regexp.MustCompile(`web-1 +ORD +(127\.42\.\d+\.11) `)
	seen := map[string]bool{}
	for range 3 {
		found := address.FindStringSubmatch(serve(t))
		if found == nil || seen[found[1]] {
			t.Fatalf("got address %v, want one that no other stub has", found)
		}
		seen[found[1]] = true
		response, err := http.Get("http://" + found[1] + ":8080/")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("got %d from %s, want 200", response.StatusCode, found[1])
		}
	}
}

// The ports of a server are closed while it is migrated or stopped. Another stub must
// not use its address then.
func TestRun_keepsTheAddressesOfServersThatDoNotRun(t *testing.T) {
	first, err := openBlock(stub.Config{}, stub.Samples())
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	for _, server := range first.servers {
		first.cloud.SetServer(server.ID, func(s *stub.Server) { s.Status = "SHUTOFF" })
		for _, port := range []int{stub.PortHTTP, stub.PortSSH} {
			waitUntilClosed(net.JoinHostPort(server.AccessIPv4, strconv.Itoa(port)))
		}
	}
	second, err := openBlock(stub.Config{}, stub.Samples())
	if err != nil {
		t.Fatal(err)
	}
	defer second.close()
	if first.addresses == second.addresses {
		t.Errorf("both stubs have %s", first.addresses)
	}
}

// waitUntilClosed connects to a port until that is refused.
func waitUntilClosed(address string) {
	for {
		conn, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
		time.Sleep(time.Millisecond)
	}
}

func TestRun_tellsTheAddressesBesideTheCommandsOutput(t *testing.T) {
	_, stdout, stderr := invoke(t, "--", "echo", "hello")
	if stdout != "hello\n" || !regexp.MustCompile(`addresses are 127\.42\.\d+\.x\n`).MatchString(stderr) {
		t.Errorf("got %q and %q, want the addresses in the second", stdout, stderr)
	}
}
