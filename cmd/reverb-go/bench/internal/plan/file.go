package plan

import (
	"fmt"
	"os"
	"slices"

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

// UnmarshalYAML reads a scenario on top of the defaults of its kind.
func (s *Scenario) UnmarshalYAML(b []byte) error {
	var head struct {
		Scenario string `yaml:"scenario"`
	}
	if err := yaml.Unmarshal(b, &head); err != nil {
		return err
	}
	defaults, err := Builtin(head.Scenario)
	if err != nil {
		return err
	}
	type plain Scenario // without this method
	p := plain(defaults)
	if err := yaml.UnmarshalWithOptions(b, &p, yaml.Strict()); err != nil {
		return err
	}
	*s = Scenario(p)
	return nil
}

// Find returns the scenario with a label.
func (f File) Find(label string) (Scenario, bool) {
	i := slices.IndexFunc(f.Scenarios, func(s Scenario) bool { return s.Label() == label })
	if i < 0 {
		return Scenario{}, false
	}
	return f.Scenarios[i], true
}
