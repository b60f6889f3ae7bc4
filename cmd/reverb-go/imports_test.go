package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/reverb-go/reverb-go"

// mayImport says what each package may import besides the standard library: packages of this module by
// their folder, others by the path that theirs begin with. Imports point down the page of ARCHITECTURE.md; a
// package that is new has to find its place there and here.
var mayImport = map[string][]string{
	"protocol":     {},
	"protocol/php": {},
	"auth":         {},
	"metrics":      {"github.com/prometheus/client_golang", "github.com/prometheus/client_model", "google.golang.org/protobuf"},
	"channels":     {"protocol"},
	"scaling":      {"protocol", "github.com/redis/go-redis/v9", "github.com/prometheus/client_golang"},
	"scaling/bridge": {
		"protocol", "protocol/php", "auth", "channels", "scaling",
		"github.com/redis/go-redis/v9", "github.com/prometheus/client_golang",
	},
	"auth/explain": {"protocol", "auth", "channels"},
	"auth/sqlapps": {
		"auth", "github.com/go-sql-driver/mysql", "github.com/jackc/pgx/v5", "modernc.org/sqlite", "golang.org/x/sync",
		"github.com/prometheus/client_golang",
	},

	"server/internal/poll": {"golang.org/x/sys/unix"},
	"server/handover":      {"protocol", "channels", "golang.org/x/sys/unix"},
	"server": {
		"protocol", "auth", "channels", "metrics", "server/internal/poll", "server/handover",
		"github.com/gobwas/ws", "github.com/klauspost/compress/flate", "github.com/valyala/fasthttp", "github.com/pires/go-proxyproto", "github.com/prometheus/client_golang",
	},
	"server/webhook": {
		"protocol", "protocol/php", "auth", "channels", "server/handover", "github.com/redis/go-redis/v9", "github.com/prometheus/client_golang",
	},
	"internal/services": {"github.com/go-sql-driver/mysql", "github.com/jackc/pgx/v5", "github.com/redis/go-redis/v9"},

	"cmd/reverb-go/laravel": {},
	"cmd/reverb-go/config":  {"auth", "server/webhook", "cmd/reverb-go/laravel", "github.com/goccy/go-yaml"},
	"cmd/reverb-go/pusher":  {"protocol", "auth", "channels", "github.com/gobwas/ws"},
	"cmd/reverb-go/setup":   {"cmd/reverb-go/config"},
	"cmd/reverb-go/acme":    {"github.com/caddyserver/certmagic", "go.uber.org/zap"},
	"cmd/reverb-go/doctor":  {"cmd/reverb-go/config", "cmd/reverb-go/laravel", "cmd/reverb-go/pusher", "github.com/redis/go-redis/v9"},
	"cmd/reverb-go/inspector": {
		"protocol", "auth", "auth/explain", "channels", "scaling", "server",
		"github.com/valyala/fasthttp", "github.com/prometheus/client_golang",
	},
	// It builds the program, and prints a unit as the program does.
	"cmd/reverb-go/packaging": {"cmd/reverb-go/config", "cmd/reverb-go/setup"},
	// The app knows the websocket server from outside only, but for its command that runs both.
	"cmd/messaging": {
		"auth", "scaling", "server", "cmd/reverb-go/config", "cmd/reverb-go/laravel", "cmd/messaging/...",
		"github.com/prometheus/client_golang", "github.com/redis/go-redis/v9", "github.com/spf13/cobra", "golang.org/x",
	},
	"cmd/messaging/...": {
		"auth", "cmd/reverb-go/config", "cmd/reverb-go/laravel", "cmd/messaging/...",
		"github.com/alicebob/miniredis/v2", "github.com/go-sql-driver/mysql", "github.com/google/uuid", "github.com/hibiken/asynq",
		"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "github.com/prometheus/client_golang", "github.com/redis/go-redis/v9",
		"github.com/valyala/fasthttp", "golang.org/x", "modernc.org/sqlite",
	},
	// The load test knows the server from outside only, but for its own tests.
	"cmd/reverb-go/bench/...": {
		"protocol", "auth", "cmd/reverb-go/config", "cmd/reverb-go/bench/...",
		"github.com/HdrHistogram/hdrhistogram-go", "github.com/goccy/go-yaml", "github.com/gobwas/ws", "github.com/schollz/progressbar",
		"github.com/spf13", "golang.org/x",
	},
	"cmd/reverb-go/bench/internal/undertest": {"auth", "scaling", "server"},
	"cmd/reverb-go": {
		"protocol", "auth", "auth/explain", "auth/sqlapps", "channels", "metrics", "scaling", "scaling/bridge",
		"server", "server/handover", "server/webhook",
		"cmd/reverb-go/laravel", "cmd/reverb-go/config", "cmd/reverb-go/pusher", "cmd/reverb-go/setup", "cmd/reverb-go/doctor",
		"cmd/reverb-go/bench", "cmd/reverb-go/inspector", "cmd/reverb-go/acme", "github.com/spf13/cobra", "github.com/redis/go-redis/v9", "github.com/prometheus/client_golang", "golang.org/x",
	},
}

// TestImportsPointDown reads the files of all systems, which go list would not.
func TestImportsPointDown(t *testing.T) {
	packages := parseModule(t, parser.ImportsOnly)
	for _, folder := range slices.Sorted(maps.Keys(packages)) {
		allowed, isListed := listed(folder)
		if !isListed {
			t.Errorf("package %s is not in the table of imports; hint: find its place in ARCHITECTURE.md first", folder)
			continue
		}
		for file, parsed := range packages[folder] {
			for _, spec := range parsed.Imports {
				if name := importedBy(t, spec); !isAllowed(name, allowed) {
					t.Errorf("%s imports %s, which is not below package %s", file, name, folder)
				}
			}
		}
	}
	for folder := range mayImport {
		if packages[strings.TrimSuffix(folder, "/...")] == nil {
			t.Errorf("package %s is in the table of imports, but does not exist", folder)
		}
	}
}

// listed returns what a package may import; "a/..." stands for a and all below it that are not listed themselves.
func listed(folder string) (allowed []string, ok bool) {
	if allowed, ok = mayImport[folder]; ok {
		return allowed, true
	}
	for ; folder != "."; folder = path.Dir(folder) {
		if allowed, ok = mayImport[folder+"/..."]; ok {
			return allowed, true
		}
	}
	return nil, false
}

// importedBy returns a package of this module by its folder, any other by its path.
func importedBy(t *testing.T, spec *ast.ImportSpec) string {
	t.Helper()
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(name, module+"/")
}

func isAllowed(name string, allowed []string) bool {
	first, _, _ := strings.Cut(name, "/")
	_, isOurs := listed(name)
	isStandard := !strings.Contains(first, ".") && !isOurs
	return isStandard || slices.ContainsFunc(allowed, func(a string) bool {
		group, isGroup := strings.CutSuffix(a, "/...")
		return name == a || name == group || (isGroup || !isOurs) && strings.HasPrefix(name, group+"/")
	})
}

// TestInertPackages holds protocol and auth to what they are: functions over bytes, without a goroutine, a
// clock, or anything of the world outside.
func TestInertPackages(t *testing.T) {
	worldly := []string{"context", "crypto/rand", "log", "math/rand", "math/rand/v2", "net", "net/http", "os", "runtime", "sync", "syscall"}
	packages := parseModule(t, parser.SkipObjectResolution)
	for _, folder := range []string{"protocol", "auth"} {
		for file, parsed := range packages[folder] {
			for _, spec := range parsed.Imports {
				if name := importedBy(t, spec); slices.Contains(worldly, name) {
					t.Errorf("%s imports %s", file, name)
				}
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine", file)
				case *ast.SelectorExpr:
					if of, ok := n.X.(*ast.Ident); ok && of.Name == "time" && n.Sel.Name == "Now" {
						t.Errorf("%s looks at the clock", file)
					}
				}
				return true
			})
		}
	}
}

// parseModule returns the files of each package that are no tests, by folder and by name.
func parseModule(t *testing.T, mode parser.Mode) map[string]map[string]*ast.File {
	t.Helper()
	const root = "../.."
	packages := make(map[string]map[string]*ast.File)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file := filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator)))
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, mode)
		if folder := path.Dir(file); packages[folder] == nil {
			packages[folder] = make(map[string]*ast.File)
		}
		packages[path.Dir(file)][file] = parsed
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}
