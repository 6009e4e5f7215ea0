package stub

import (
	"bytes"
	"testing"

	"golang.org/x/net/http2"
)

func TestChangeResets_changesWholeFramesAndLeavesTheRest(t *testing.T) {
	var frames, want bytes.Buffer
	for buffer, code := range map[*bytes.Buffer]http2.ErrCode{&frames: http2.ErrCodeInternal, &want: http2.ErrCodeProtocol} {
		framer := http2.NewFramer(buffer, nil)
		for _, err := range []error{
			framer.WriteData(1, false, bytes.Repeat([]byte{3}, 300)), framer.WriteRSTStream(1, code), framer.WriteRSTStream(3, code),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	const reset = 13 // bytes of a frame that resets a stream
	for missing := range 2 * reset {
		got := bytes.Clone(frames.Bytes()[:frames.Len()-missing])
		whole := want.Len() - (missing+reset-1)/reset*reset
		if n := changeResets(got); n != whole || !bytes.Equal(got[:n], want.Bytes()[:n]) || !bytes.Equal(got[n:], frames.Bytes()[n:len(got)]) {
			t.Errorf("%d bytes missing: got %d bytes of whole frames, want %d, with changes in the resets only", missing, n, whole)
		}
	}
}
