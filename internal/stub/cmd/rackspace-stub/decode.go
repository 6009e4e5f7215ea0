package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decode reads a JSON object into the struct that a pointer points to. Each field of
// the struct has a json tag. An error names the field, and says what it can be.
func decode(text []byte, into any) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(text, &given); err != nil {
		return explain(err, text)
	}
	if given == nil {
		return errors.New("got null, want an object")
	}
	fields := map[string]any{}
	for field, value := range reflect.ValueOf(into).Elem().Fields() {
		fields[field.Tag.Get("json")] = value.Addr().Interface()
	}
	var first error // the other fields are read in spite of it, because the caller names the server in its message
	for _, name := range slices.Sorted(maps.Keys(given)) {
		var err error
		if field, known := fields[name]; !known {
			err = fmt.Errorf("there is no field %q; the fields are %s", name, listed(slices.Sorted(maps.Keys(fields)), "and"))
		} else if mismatch := json.Unmarshal(given[name], field); mismatch != nil {
			err = inField(name, explain(mismatch, given[name]))
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// fieldError says which field is wrong, such as stub.migration, and why.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return fmt.Sprintf("field %q: %v", e.field, e.err) }

// Unwrap returns what is wrong with the field.
func (e *fieldError) Unwrap() error { return e.err }

// inField adds the name of a field to an error.
func inField(name string, err error) error {
	var inner *fieldError
	if errors.As(err, &inner) {
		return &fieldError{name + "." + inner.field, inner.err}
	}
	return &fieldError{name, err}
}

// wrong is an error in a field.
func wrong(field, format string, args ...any) error {
	return &fieldError{field, fmt.Errorf(format, args...)}
}

// explain says what is wrong with a JSON text, without the names of Go's types.
func explain(err error, text []byte) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line := 1 + strings.Count(string(text[:syntax.Offset]), "\n")
		return fmt.Errorf("it is not JSON: line %d: %w", line, err)
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("got %s, want %s", article(mismatch.Value), kindName(mismatch.Type.Kind()))
	}
	return err
}

// article is the kind of a JSON value with its article, such as "a string". The argument
// is what encoding/json calls the value.
func article(value string) string {
	kind, _, _ := strings.Cut(value, " ") // such as "number 1.5"
	switch kind {
	case "bool":
		return "true or false"
	case "array", "object":
		return "an " + kind
	default:
		return "a " + kind
	}
}

// kindName is the JSON value that a field of a kind takes, with its article.
func kindName(kind reflect.Kind) string {
	switch kind {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "an array"
	default:
		return "an object"
	}
}

// listed puts names into a sentence: "a", "b" or "c".
func listed(names []string, conjunction string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " " + conjunction + " " + quoted[last]
}

// duration is a length of time, which JSON has as a string such as "1m30s".
type duration time.Duration

// UnmarshalJSON reads a length of time. It must be longer than 0.
func (d *duration) UnmarshalJSON(text []byte) error {
	var given string
	err := json.Unmarshal(text, &given)
	parsed, parseErr := time.ParseDuration(given)
	if err != nil || parseErr != nil || parsed <= 0 {
		return fmt.Errorf(`got %s, want a string with a duration greater than 0, such as "30s" or "1m30s"`, text)
	}
	*d = duration(parsed)
	return nil
}

// wordOf returns the meaning of the word that a field has, or an error that lists the
// words.
func wordOf[T any](field, word string, meanings map[string]T) (T, error) {
	meaning, known := meanings[word]
	if !known {
		return meaning, wrong(field, "got %q, want %s", word, listed(slices.Sorted(maps.Keys(meanings)), "or"))
	}
	return meaning, nil
}
