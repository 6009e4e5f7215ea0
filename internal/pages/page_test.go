package pages

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/terraform-provider-rackspace/terraform-provider-rackspace/internal/acctest"
)

// top is the project's directory, as seen from this package.
const top = "../.."

func TestMain(m *testing.M) {
	status := m.Run()
	acctest.RemoveMirror()
	os.Exit(status)
}

// page is a Markdown file of the project.
type page struct {
	path   string // from the project's directory, with slashes
	source []byte // without front matter
	root   ast.Node
}

// block is a fenced code block of a page.
type block struct {
	page     string
	line     int // of its first line
	language string
	text     string
	note     string // what a comment before the block says, as <!-- test: NOTE -->
}

var (
	frontMatter = regexp.MustCompile(`(?s)\A---\n.*?\n---\n`)
	testNote    = regexp.MustCompile(`^<!-- test: (.+?) -->\s*$`)
)

// pages are all Markdown files of the project.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == ".git" || name == ".terraform" || name == "dist" || name == "testdata") {
			return filepath.SkipDir
		}
		if !entry.IsDir() && filepath.Ext(name) == ".md" {
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(top, path)
			if err != nil {
				return err
			}
			found = append(found, newPage(filepath.ToSlash(relative), source))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func newPage(path string, source []byte) page {
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	source = frontMatter.ReplaceAllFunc(source, func(matter []byte) []byte {
		return bytes.Repeat([]byte("\n"), bytes.Count(matter, []byte("\n"))) // lines keep their numbers
	})
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	return page{path, source, markdown.Parser().Parse(text.NewReader(source))}
}

// each calls a function for each node of the page.
func (p page) each(visit func(ast.Node)) {
	_ = ast.Walk(p.root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			visit(node)
		}
		return ast.WalkContinue, nil
	})
}

// blocks are the page's fenced code blocks.
func (p page) blocks() []block {
	var found []block
	p.each(func(node ast.Node) {
		fenced, ok := node.(*ast.FencedCodeBlock)
		if !ok {
			return
		}
		found = append(found, block{
			page: p.path, line: p.line(fenced), language: string(fenced.Language(p.source)),
			text: string(fenced.Lines().Value(p.source)), note: p.note(fenced),
		})
	})
	return found
}

// note is what the comment before a block says, or empty.
func (p page) note(node ast.Node) string {
	if before, ok := node.PreviousSibling().(*ast.HTMLBlock); ok {
		if match := testNote.FindSubmatch(before.Lines().Value(p.source)); match != nil {
			return string(match[1])
		}
	}
	return ""
}

// line is the number of a block's first line.
func (p page) line(node ast.Node) int {
	if node.Lines().Len() == 0 {
		return 0
	}
	return 1 + bytes.Count(p.source[:node.Lines().At(0).Start], []byte("\n"))
}

// read returns the text of a file of the project.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
