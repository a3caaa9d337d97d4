// Tally reads what go test -json prints and makes it short: a line for each
// package, the output of what failed, and what was skipped, with the reason. It
// exits with 1 if a test failed. The number of tests passed, failed and skipped,
// subtests included, is appended to the file that its argument names.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
)

// An event is a line of go test -json. See go doc test2json.
type event struct {
	Action, Package, Test string
	ImportPath            string // of build output
	Output                string
}

// A place is a test, or a package where test is "", or what is being built.
type place struct{ pkg, test string }

type tally struct {
	output                  map[place][]string // of what has not ended yet
	failures                map[string]int     // failed tests of a package
	passed, failed, skipped int
}

func main() {
	log.SetFlags(0)
	t := tally{output: map[place][]string{}, failures: map[string]int{}}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) == nil {
			t.add(e)
		} else {
			os.Stdout.Write(line) // the go command's own words
		}
		if err != nil {
			break
		}
	}
	if len(os.Args) > 1 {
		if err := t.save(os.Args[1]); err != nil {
			log.Fatal(err)
		}
	}
	if t.failed > 0 {
		os.Exit(1)
	}
}

func (t *tally) add(e event) {
	at := place{e.Package, e.Test}
	switch e.Action {
	case "run":
		t.output[at] = nil
	case "output":
		t.output[at] = append(t.output[at], e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "pass", "skip", "fail":
		if e.Test == "" {
			t.endPackage(at, e.Action)
		} else {
			t.endTest(at, e.Action)
		}
		delete(t.output, at)
	}
}

func (t *tally) endTest(at place, action string) {
	switch action {
	case "pass":
		t.passed++
	case "skip":
		t.skipped++
		fmt.Printf("skipped  %s %s: %s\n", at.pkg, at.test, reason(t.output[at]))
	case "fail":
		t.fail(at)
	}
}

// fail counts a test and prints all that it wrote.
func (t *tally) fail(at place) {
	t.failed++
	t.failures[at.pkg]++
	fmt.Printf("FAILED   %s %s\n%s", at.pkg, at.test, strings.Join(t.output[at], ""))
}

// endPackage counts the tests that a panic or a timeout left unfinished as
// failed, and a package that failed without them (it did not build, or TestMain
// gave up) as one.
func (t *tally) endPackage(at place, action string) {
	output := t.output[at]
	if action != "fail" {
		if len(output) > 0 {
			fmt.Print(output[len(output)-1]) // ok, package, seconds
		}
		return
	}
	delete(t.output, at)
	for _, left := range t.unfinished(at.pkg) {
		t.fail(left)
		delete(t.output, left)
	}
	if t.failures[at.pkg] == 0 {
		t.failed++
	}
	fmt.Print(strings.Join(output, ""))
}

func (t *tally) unfinished(pkg string) []place {
	var left []place
	for at := range t.output {
		if at.pkg == pkg {
			left = append(left, at)
		}
	}
	sort.Slice(left, func(i, j int) bool { return left[i].test < left[j].test })
	return left
}

// reason is a skipped test's output without the test runner's own lines.
func reason(output []string) string {
	var words []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			words = append(words, line)
		}
	}
	return strings.Join(words, "; ")
}

func (t *tally) save(name string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, t.passed, t.failed, t.skipped)
	if err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
