package parentprocess

import "os"

// Watch calls ended once, in another goroutine, when the process that started this one has
// ended. On Windows, a process can wait for any other process that it may open.
func Watch(ended func()) {
	parent, err := os.FindProcess(os.Getppid())
	if err != nil {
		return // the parent has ended already, so it has sent no request that must be stopped
	}
	go func() {
		if _, err := parent.Wait(); err == nil {
			ended()
		}
	}()
}
