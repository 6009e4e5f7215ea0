package parentprocess

import "os"

// Watch calls ended once, in a goroutine of its own, when the process that
// started this one has ended. Windows lets a process wait for any other one that
// it may open.
func Watch(ended func()) {
	parent, err := os.FindProcess(os.Getppid())
	if err != nil {
		return // it ended before it could be watched, and so never asked for anything
	}
	go func() {
		if _, err := parent.Wait(); err == nil {
			ended()
		}
	}()
}
