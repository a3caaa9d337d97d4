package fuzz_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMutants plants one bug at a time in framing, eof and lengthfield, and wants
// the other tests of this package to find it. What survives is a hole in them.
//
// The bugs are in testdata/mutants. They are planted in an overlay, so the source
// never changes.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("mutants take a minute: run without -short")
	}
	if out, err := suite(t, nil); err != nil {
		t.Fatalf("without a mutant: %v\n%s", err, out)
	}
	files, err := filepath.Glob("testdata/mutants/*.txt")
	if err != nil || len(files) < 16 {
		t.Fatalf("%d mutants, %v; want 16 at least", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			m := readMutant(t, file)
			out, err := suite(t, m.overlay(t))
			if err == nil {
				t.Errorf("%s survived all tests: %s", file, m.bug)
				return
			}
			t.Logf("%s Caught by %s", m.bug, culprit(out))
		})
	}
}

// suite builds the tests of this package with the files of overlay in place of
// others, and runs them until one fails. That they do not build is a failure of
// t.
func suite(t *testing.T, overlay map[string]string) (out []byte, err error) {
	t.Helper()
	dir := t.TempDir()
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	config, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "suite")
	if err := os.WriteFile(config, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-w", "-overlay", config, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("does not build: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), binary, "-test.failfast", "-test.timeout=60s", "-test.skip=^TestMutants$")
	run.Env = append(os.Environ(), "PLAIT_SEED=")
	out, err = run.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out, err
}

// culprit names the test that failed, or what else ended the suite.
func culprit(out []byte) string {
	if m := regexp.MustCompile(`(?m)^--- FAIL: (\w+)`).FindSubmatch(out); m != nil {
		return string(m[1])
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return string(line)
}

// A mutant is a bug: a place in a file, and what it says instead.
type mutant struct {
	bug, file string
	was, is   string
}

// readMutant reads a mutant as a person writes it:
//
//	# What goes wrong.
//	file: framing/cursor.go
//	-	whole lines that are there,
//	-	exactly once in the file
//	+	whole lines in their place, or none
func readMutant(t *testing.T, name string) mutant {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var m mutant
	for line := range strings.Lines(string(text)) {
		switch rest := line[1:]; {
		case line[0] == '#':
			m.bug = strings.TrimSpace(rest)
		case line[0] == '-' && m.is == "":
			m.was += rest
		case line[0] == '+':
			m.is += rest
		case strings.HasPrefix(line, "file: "):
			m.file = strings.TrimSpace(line[len("file: "):])
		default:
			t.Fatalf("%s: %q is not a line of a mutant", name, line)
		}
	}
	if m.bug == "" || m.file == "" || m.was == "" {
		t.Fatalf("%s lacks its bug, its file or the lines to replace", name)
	}
	return m
}

// overlay plants m in a copy of its file.
func (m mutant) overlay(t *testing.T) map[string]string {
	t.Helper()
	original, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(m.file)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.was); n != 1 {
		t.Fatalf("stale: %s has these lines %d times, want once; write the mutant anew\n%s", m.file, n, m.was)
	}
	planted := filepath.Join(t.TempDir(), filepath.Base(m.file))
	if err := os.WriteFile(planted, []byte(strings.Replace(string(text), m.was, m.is, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{original: planted}
}
