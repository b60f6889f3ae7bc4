package config

import (
	"slices"
	"testing"
)

func TestRestartRedisKeys(t *testing.T) {
	tests := []struct {
		name   string
		cache  Cache
		prefix string
		want   []string
	}{
		{
			"the skeletons' own", Cache{AppName: "My App"}, "",
			[]string{"my-app-database-my-app-cache-laravel:reverb:restart", "my_app_database_my_app_cache_laravel:reverb:restart"},
		},
		{"both set", Cache{AppName: "My App", Prefix: "c:"}, "r:", []string{"r:c:laravel:reverb:restart"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.cache.RestartRedisKeys(tt.prefix); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
