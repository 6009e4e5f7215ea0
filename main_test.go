package main

import (
	"runtime/debug"
	"testing"
)

func TestBuiltFrom(t *testing.T) {
	const revision = "7cab8c3e0f5d4c0b9a1f6f0e8a3a4f5b6c7d8e9f"
	for _, test := range []struct {
		name            string
		version, commit string // of the release build
		module          string
		settings        []debug.BuildSetting
		unrecorded      bool
		want            string
	}{
		{
			name: "the release build comes first", version: "1.2.3", commit: "c0ffee0",
			module: "v1.2.4-0.20261129170000-7cab8c3e0f5d", settings: []debug.BuildSetting{{Key: "vcs.revision", Value: revision}},
			want: "1.2.3 (c0ffee0)",
		},
		{name: "go install of a release", version: "dev", module: "v1.2.3", want: "1.2.3"},
		{
			name: "go install in a clone", version: "dev", module: "v0.0.0-20261129170000-7cab8c3e0f5d+dirty",
			settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: revision}},
			want:     "0.0.0-20261129170000-7cab8c3e0f5d+dirty (" + revision + ")",
		},
		{name: "a build that records no revision", version: "dev", module: "(devel)", want: "dev"},
		{name: "a build that records nothing", version: "dev", unrecorded: true, want: "dev"},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func(was, wasCommit string) { version, commit = was, wasCommit }(version, commit)
			version, commit = test.version, test.commit
			info := &debug.BuildInfo{Settings: test.settings}
			info.Main.Version = test.module
			if got := builtFrom(info, !test.unrecorded).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
