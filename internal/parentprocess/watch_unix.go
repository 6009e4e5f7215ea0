//go:build unix

package parentprocess

import (
	"os"
	"time"
)

// interval is how often the parent is looked for. Its end is noticed within a second, and
// one look costs a single system call.
const interval = time.Second

// Watch calls ended once, in another goroutine, when the process that started this one has
// ended. Unix then makes another process its parent, so its parent's id changes.
func Watch(ended func()) {
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(interval)
		}
		ended()
	}()
}
