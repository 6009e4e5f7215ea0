package pages

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

// TestRecording_isOfTheDemo checks that the picture in README ends as the demo does today.
// make record draws it again.
func TestRecording_isOfTheDemo(t *testing.T) {
	_, end, found := strings.Cut(read(t, "tools/demo"), "<< END\n")
	end, _, complete := strings.Cut(end, "$report")
	if !found || !complete {
		t.Fatal("tools/demo does not end with a text and its report")
	}
	picture := read(t, ".github/demo.svg")
	if len(picture) > 300<<10 || strings.Contains(picture, "base64") {
		t.Errorf("got a picture of %d bytes, want at most 300 KiB, and text in place of fonts", len(picture))
	}
	words := func(text string) string { return strings.Join(strings.Fields(text), "") }
	shown := words(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(picture, "")))
	if !strings.Contains(shown, words(end)) {
		t.Errorf("the picture does not end with the demo's text; run make record\n%s", end)
	}
}
