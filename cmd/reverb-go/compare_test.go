package main_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// isSecret knows what nobody may find out by measuring how long it is compared.
var isSecret = regexp.MustCompile(`(?i)(secret|signature|password|token|\bmac|hmac|auth)$`)

// isFlag knows names of what is only true or false.
var isFlag = regexp.MustCompile(`\b[iI]s[A-Z]\w*$`)

// isCompare knows functions that stop at the first difference.
var isCompare = regexp.MustCompile(`^(bytes|strings|slices)\.(Equal|EqualFold|Compare|HasPrefix|Contains)$`)

// comparesFreely are packages that compare only what belongs to whoever runs them.
var comparesFreely = []string{"auth/explain/", "cmd/reverb-go/doctor/", "cmd/reverb-go/bench/", "cmd/messaging/web/"}

// TestSecretsAreComparedInConstantTime finds comparisons of secrets and signatures with something that is no constant. They belong into
// subtle.ConstantTimeCompare.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	for _, files := range parseModule(t, parser.SkipObjectResolution) {
		for file, parsed := range files {
			if hasAnyPrefix(file, comparesFreely) {
				continue
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if a, b, ok := compared(n); ok && isSecretWith(a, b) {
					t.Errorf("%s compares %s with %s", file, source(a), source(b))
				}
				return true
			})
		}
	}
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// compared returns both sides of a comparison.
func compared(n ast.Node) (a, b ast.Expr, ok bool) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return n.X, n.Y, n.Op == token.EQL || n.Op == token.NEQ
	case *ast.CallExpr:
		if len(n.Args) == 2 && isCompare.MatchString(source(n.Fun)) {
			return n.Args[0], n.Args[1], true
		}
	}
	return nil, nil, false
}

func isSecretWith(a, b ast.Expr) bool {
	for _, e := range []ast.Expr{a, b} {
		if isConstant(e) || isFlag.MatchString(source(e)) {
			return false
		}
	}
	return isSecret.MatchString(source(a)) || isSecret.MatchString(source(b))
}

func isConstant(e ast.Expr) bool {
	_, isLiteral := e.(*ast.BasicLit)
	name, isName := e.(*ast.Ident)
	return isLiteral || isName && name.Name == "nil"
}

func source(e ast.Expr) string {
	var b bytes.Buffer
	_ = printer.Fprint(&b, token.NewFileSet(), e) // to memory
	return b.String()
}
