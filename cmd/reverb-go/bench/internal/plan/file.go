package plan

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// A File is a scenario file.
type File struct {
	Scenarios []Scenario `yaml:"scenarios"`
}

// Load reads a scenario file.
func Load(path string) (File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	return parse(path, text)
}

func parse(path string, text []byte) (File, error) {
	var f File
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	if len(f.Scenarios) == 0 {
		return File{}, fmt.Errorf("read %s: it has no scenarios", path)
	}
	var labels []string
	for _, s := range f.Scenarios {
		if err := s.Check(); err != nil {
			return File{}, fmt.Errorf("read %s: %w", path, err)
		}
		if slices.Contains(labels, s.Label()) {
			return File{}, fmt.Errorf("read %s: there are two scenarios %q", path, s.Label())
		}
		labels = append(labels, s.Label())
	}
	return f, nil
}

// UnmarshalYAML reads a scenario on top of the defaults of its kind. What is wrong is told by the names of the
// scenario and the field: positions would be those in b, which is only a piece of the file.
func (s *Scenario) UnmarshalYAML(b []byte) error {
	var fields yaml.MapSlice
	// The same key twice has been found out before. Here it is one that a merge key ("<<") brought and the other
	// overrides.
	if err := yaml.UnmarshalWithOptions(b, &fields, yaml.AllowDuplicateMapKey()); err != nil {
		return err
	}
	all := fields.ToMap()
	label := fmt.Sprint(cmp.Or(all["name"], all["scenario"], any("without a name")))
	if err := s.read(fields, all["scenario"]); err != nil {
		return fmt.Errorf("scenario %q: %w", label, err)
	}
	var parts struct {
		Parts []Scenario `yaml:"parts"`
	}
	if all["parts"] == nil {
		return nil
	}
	if err := yaml.UnmarshalWithOptions(b, &parts, yaml.AllowDuplicateMapKey()); err != nil {
		return fmt.Errorf("scenario %q: parts: %w", label, err)
	}
	s.Parts = parts.Parts
	return checkTimes(label, all["parts"])
}

// checkTimes reports parts with times of their own: they last as long as the whole.
func checkTimes(label string, parts any) error {
	list, _ := parts.([]any)
	for _, part := range list {
		fields, _ := part.(map[string]any)
		for _, name := range []string{"warmup", "duration", "drain"} {
			if fields[name] != nil {
				return fmt.Errorf("scenario %q: %s does not count for parts: they last as long as the whole", label, name)
			}
		}
	}
	return nil
}

// read reads all fields but the parts.
func (s *Scenario) read(fields yaml.MapSlice, kind any) (err error) {
	if kind == nil {
		return errors.New("scenario: is missing: it says which of " + strings.Join(Names, ", ") + " this is")
	}
	if *s, err = Builtin(fmt.Sprint(kind)); err != nil {
		return err
	}
	for _, field := range fields {
		name := fmt.Sprint(field.Key)
		set := setters[name]
		switch {
		case set == nil:
			return fmt.Errorf("there is no field %q: %s", name, has(s.Scenario))
		case field.Value == nil:
			return fmt.Errorf("%s has no value", name)
		case !Counts(s.Scenario, name):
			return fmt.Errorf("%s does not count for %s: %s", name, s.Scenario, has(s.Scenario))
		}
		if err := set(s, fmt.Sprint(field.Value)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func has(kind string) string { return "it has " + strings.Join(Fields(kind), ", ") }

// setters are the fields of a scenario in a file. Values come as they were written.
var setters = map[string]func(s *Scenario, value string) error{
	"name":        text(func(s *Scenario) *string { return &s.Name }),
	"scenario":    text(func(s *Scenario) *string { return &s.Scenario }),
	"kind":        text(func(s *Scenario) *string { return &s.Kind }),
	"connections": number(func(s *Scenario) *int { return &s.Connections }),
	"channels":    number(func(s *Scenario) *int { return &s.Channels }),
	"subscribers": number(func(s *Scenario) *int { return &s.Subscribers }),
	"publishers":  number(func(s *Scenario) *int { return &s.Publishers }),
	"senders":     number(func(s *Scenario) *int { return &s.Senders }),
	"joiners":     number(func(s *Scenario) *int { return &s.Joiners }),
	"payload":     number(func(s *Scenario) *int { return &s.Payload }),
	"window":      number(func(s *Scenario) *int { return &s.Window }),
	"batch":       number(func(s *Scenario) *int { return &s.Batch }),
	"slow":        number(func(s *Scenario) *int { return &s.Slow }),
	"life":        span(func(s *Scenario) *time.Duration { return &s.Life }),
	"warmup":      span(func(s *Scenario) *time.Duration { return &s.Warmup }),
	"duration":    span(func(s *Scenario) *time.Duration { return &s.Duration }),
	"drain":       span(func(s *Scenario) *time.Duration { return &s.Drain }),
	"rate": func(s *Scenario, value string) (err error) {
		s.Rate, err = ParseRate(value)
		return err
	},
	"parts": func(*Scenario, string) error { return nil }, // read apart
}

func text(field func(*Scenario) *string) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		*field(s) = value
		return nil
	}
}

func number(field func(*Scenario) *int) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is no whole number", value)
		}
		*field(s) = n
		return nil
	}
}

func span(field func(*Scenario) *time.Duration) func(*Scenario, string) error {
	return func(s *Scenario, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("%q is no length of time: write 500ms, 5s or 2m", value)
		}
		*field(s) = d
		return nil
	}
}

// Find returns the scenario with a label.
func (f File) Find(label string) (Scenario, bool) {
	i := slices.IndexFunc(f.Scenarios, func(s Scenario) bool { return s.Label() == label })
	if i < 0 {
		return Scenario{}, false
	}
	return f.Scenarios[i], true
}
