package parentprocess

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// role is an environment variable that makes a process of this test the parent or the child.
// The parent starts the child, and ends when the test says so. The child watches the parent.
const role = "PARENTPROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), role+"=child")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the test has seen the child
	case "child":
		ended := make(chan struct{})
		Watch(func() { close(ended) })
		fmt.Println(os.Getpid())
		<-ended
		fmt.Println("ended")
	default:
		os.Exit(m.Run())
	}
}

func TestWatch_noticesTheEndOfTheParent(t *testing.T) {
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), role+"=parent")
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Scan()
	var pid int
	if _, err := fmt.Sscan(lines.Text(), &pid); err != nil {
		t.Fatalf("got %q from the child, want its process id", lines.Text())
	}
	child, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	giveUp := time.AfterFunc(10*time.Second, func() { _ = child.Kill() }) // which closes stdout
	defer giveUp.Stop()

	_, _ = fmt.Fprintln(stdin, "end")

	if lines.Scan(); lines.Text() != "ended" {
		t.Errorf("got %q from the child within 10 s, want that it noticed the end of its parent", lines.Text())
	}
	_ = parent.Wait()
}
