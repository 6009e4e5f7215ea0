//go:build unix

package parentprocess

import (
	"os"
	"time"
)

// interval is how often the parent is looked for: its end is noticed within a
// second, and that costs next to nothing.
const interval = time.Second

// Watch calls ended once, in a goroutine of its own, when the process that
// started this one has ended. Unix then gives this process another parent.
func Watch(ended func()) {
	parent := os.Getppid()
	go func() {
		for os.Getppid() == parent {
			time.Sleep(interval)
		}
		ended()
	}()
}
