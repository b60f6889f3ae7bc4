package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode reads the body of a request into a struct of package api. Unlike encoding/json alone it takes a name only as
// it is written, only once, and only if it is known; and it says which field is wrong, and how. A body
// that is not there is an empty object.
func (r *request) decode(into any) error {
	body := r.http.PostBody()
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if !r.hasContentType("application/json") {
		return errMediaType
	}
	return decodeStrict(body, into)
}

func (r *request) hasContentType(want string) bool {
	kind, _, _ := strings.Cut(string(r.http.Request.Header.ContentType()), ";")
	return strings.EqualFold(strings.TrimSpace(kind), want)
}

func decodeStrict(body []byte, into any) error {
	if !utf8.Valid(body) {
		return errNotJSON
	}
	fields := fieldsOf(reflect.ValueOf(into).Elem())
	d := json.NewDecoder(bytes.NewReader(body))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errNotJSON
	}
	var faults invalidFields
	for d.More() {
		if err := decodeMember(d, fields, &faults); err != nil {
			return errNotJSON
		}
	}
	if _, err := d.Token(); err != nil {
		return errNotJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errNotJSON
	}
	return faults.orNil()
}

// decodeMember reads a name and its value.
func decodeMember(d *json.Decoder, fields map[string]reflect.Value, faults *invalidFields) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	name := token.(string) // the decoder has checked it
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return err
	}
	field, ok := fields[name]
	if !ok {
		faults.add(name, "The %s field is not known here, or is there twice.")
		return nil
	}
	delete(fields, name)
	if json.Unmarshal(raw, field.Addr().Interface()) != nil || bytes.Equal(raw, []byte("null")) && field.Kind() != reflect.Pointer {
		faults.add(name, "The %s field must be "+kindWords(field.Type())+".")
	}
	return nil
}

// fieldsOf returns the fields of a struct by their names in JSON.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value, v.NumField())
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = v.Field(i)
	}
	return fields
}

// kindWords says what a type is to people.
func kindWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindWords(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array of integers"
	}
	return "an integer"
}

// decodeForm reads what pusher-js sends as a form, and Echo and our page as JSON.
func (r *request) decodeForm(into any) error {
	if !r.hasContentType("application/x-www-form-urlencoded") {
		return r.decode(into)
	}
	for name, field := range fieldsOf(reflect.ValueOf(into).Elem()) {
		field.SetString(string(r.http.PostArgs().Peek(name)))
	}
	return nil
}

// checkText trims a text and checks its length in characters. A text of at least 0 may be missing.
func checkText(faults *invalidFields, name, text string, least, most int) string {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		faults.add(name, "The %s field is required.")
	case n > most:
		faults.add(name, "The %s field must not be greater than "+strconv.Itoa(most)+" characters.")
	case strings.ContainsRune(text, 0):
		faults.add(name, "The %s field must not have NUL characters.")
	}
	return text
}

// checkOptional is checkText for what may be null.
func checkOptional(faults *invalidFields, name string, text *string, most int) string {
	if text == nil {
		return ""
	}
	return checkText(faults, name, *text, 0, most)
}
