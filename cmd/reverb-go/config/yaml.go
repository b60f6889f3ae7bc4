package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

// parseYAML reads a YAML document into the shape that Laravel's arrays have. Numbers stay the text they
// were written as, so that app_id: 0123 keeps its zero. A fault is a *laravel.SyntaxError.
func parseYAML(text []byte) (*laravel.Map, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, yamlFault(err)
	}
	r := yamlReader{anchors: make(map[string]laravel.Value)}
	root := laravel.NewMap()
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		v, err := r.value(doc.Body)
		if err != nil {
			return nil, err
		}
		m, ok := v.V.(*laravel.Map)
		if _, isList := doc.Body.(*ast.SequenceNode); isList || !ok || root.Len() > 0 {
			return nil, fault(doc.Body, "this is not one block of keys", `start with "servers:" or "apps:"`)
		}
		root = m
	}
	return root, nil
}

// yamlFault takes the position and the message out of a parse error, but not the quoted source, which may
// show a secret.
func yamlFault(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		return &laravel.SyntaxError{Line: 1, Problem: "this is no YAML", Hint: "is it the right file?"}
	}
	return &laravel.SyntaxError{Line: e.GetToken().Position.Line, Problem: e.GetMessage(), Hint: "indent with spaces, and put texts with : or # in quotes"}
}

func fault(n ast.Node, problem, hint string) error {
	return &laravel.SyntaxError{Line: line(n), Problem: problem, Hint: hint}
}

func line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

type yamlReader struct {
	anchors map[string]laravel.Value
}

func (r *yamlReader) value(n ast.Node) (laravel.Value, error) {
	v := laravel.Value{Line: line(n)}
	var err error
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		v.V = n.Value
	case *ast.StringNode:
		v.V = n.Value
	case *ast.LiteralNode:
		v.V = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		v.V = n.GetToken().Value
	case *ast.MappingNode:
		v.V, err = r.mapping(n.Values)
	case *ast.MappingValueNode:
		v.V, err = r.mapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		v.V, err = r.sequence(n)
	case *ast.AnchorNode:
		v, err = r.value(n.Value)
		r.anchors[n.Name.GetToken().Value] = v
	case *ast.AliasNode:
		var ok bool
		if v, ok = r.anchors[n.Value.GetToken().Value]; !ok {
			err = fault(n, "the alias *"+n.Value.GetToken().Value+" has no anchor before it", "define it earlier with &")
		}
	default:
		err = fault(n, fmt.Sprintf("%s is not understood here", n.Type()), "write plain values")
	}
	return v, err
}

// mapping reads a block of keys. A "<<" key gives the keys of another block where this one lacks them.
func (r *yamlReader) mapping(pairs []*ast.MappingValueNode) (*laravel.Map, error) {
	m, merged := laravel.NewMap(), laravel.NewMap()
	for _, pair := range pairs {
		v, err := r.value(pair.Value)
		if err != nil {
			return nil, err
		}
		name := pair.Key.GetToken().Value
		if _, ok := pair.Key.(*ast.MergeKeyNode); ok {
			other, ok := v.V.(*laravel.Map)
			if !ok {
				return nil, fault(pair, `"<<" takes a block of keys`, "write <<: *name")
			}
			merged = other
			continue
		}
		if strings.Contains(name, ".") {
			return nil, fault(pair, fmt.Sprintf("the key %q has a dot", name), "write the parts as keys below each other")
		}
		m.Set(name, v)
	}
	for key, v := range merged.All() {
		if _, ok := m.Get(key); !ok {
			m.Set(key, v)
		}
	}
	return m, nil
}

func (r *yamlReader) sequence(n *ast.SequenceNode) (*laravel.Map, error) {
	m := laravel.NewMap()
	for i, item := range n.Values {
		v, err := r.value(item)
		if err != nil {
			return nil, err
		}
		m.Set(strconv.Itoa(i), v)
	}
	return m, nil
}
