package config

import (
	"fmt"
	"strings"

	"github.com/reverb-go/reverb-go/cmd/reverb-go/laravel"
)

const appsPath = "apps.apps"

// apps resolves the apps: those that a file lists, else the one of the REVERB_APP_ variables.
func (l *loader) apps() error {
	for _, t := range []tree{l.file, l.cached} {
		if list := t.root.Map(appsPath); list.Len() > 0 {
			return l.listedApps(t, list)
		}
	}
	return l.app(appsPath+".0.", l.inDotenv, true)
}

// listedApps resolves the apps of a file.
func (l *loader) listedApps(t tree, list *laravel.Map) error {
	overridden := false
	for name, v := range list.All() {
		settings, ok := v.V.(*laravel.Map)
		if !ok {
			return &Problem{fmt.Sprintf("%s.%s is no app (%s)", appsPath, name, t.source(v)), "an app has the keys app_id, key and secret"}
		}
		override := list.Len() == 1 || l.isEnvironmentApp(settings)
		overridden = overridden || override
		inTree := func(k key) answer {
			v, ok := settings.Get(k.name)
			switch {
			case !ok:
				return answer{value: k.bare}
			case v.V == nil: // to Reverb's ?? the same
				v.V = k.bare
			}
			return answer{v.V, t.source(v)}
		}
		if err := l.app(appsPath+"."+name+".", inTree, override); err != nil {
			return err
		}
	}
	if name := l.appVariable(); name != "" && !overridden {
		l.warn(fmt.Sprintf("%s in the environment is ignored: %s lists %d apps and REVERB_APP_ID names none of them", name, t.name, list.Len()),
			"set REVERB_APP_ID to the app_id of the app that is meant, or unset the variable")
	}
	return nil
}

// isEnvironmentApp reports whether a listed app is the one the REVERB_APP_ variables of the environment speak of.
func (l *loader) isEnvironmentApp(settings *laravel.Map) bool {
	id, _ := settings.Get("app_id")
	s, _ := scalar(id.V)
	return s != "" && s == l.environ["REVERB_APP_ID"]
}

// appVariable returns a variable of the environment that says something of an app.
func (l *loader) appVariable() string {
	for _, k := range appKeys(&App{}) {
		if _, ok := l.environ[k.env]; ok && strings.HasPrefix(k.env, "REVERB_APP_") {
			return k.env
		}
	}
	return ""
}

// app resolves one app and adds it, unless nothing says who it is.
func (l *loader) app(prefix string, find func(key) answer, environment bool) error {
	var a App
	before := len(l.config.Settings)
	for _, k := range appKeys(&a) {
		said := find(k)
		if e := l.inEnvironment(k); environment && e.source != "" {
			said = e
		}
		if err := l.store(k, prefix+k.name, said); err != nil {
			return err
		}
	}
	if a.ID == "" && a.Key == "" && a.Secret == "" {
		l.config.Settings = l.config.Settings[:before]
		return nil
	}
	if err := whoIs(a, prefix); err != nil {
		return err
	}
	if err := a.addHooks(); err != nil {
		return err
	}
	l.config.Apps = append(l.config.Apps, a)
	return nil
}

// whoIs refuses an app that lacks a part of its credentials.
func whoIs(a App, prefix string) error {
	for _, c := range []struct{ value, name, env string }{
		{a.ID, "app_id", "REVERB_APP_ID"},
		{a.Key, "key", "REVERB_APP_KEY"},
		{a.Secret, "secret", "REVERB_APP_SECRET"},
	} {
		if c.value == "" {
			return &Problem{
				fmt.Sprintf("%s%s is not set, though the app has other credentials", prefix, c.name),
				fmt.Sprintf(`is %s set? "reverb-go config" shows where each value comes from`, c.env),
			}
		}
	}
	return nil
}
