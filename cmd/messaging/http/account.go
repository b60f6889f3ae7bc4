package http

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/crypto/bcrypt"

	"github.com/reverb-go/reverb-go/cmd/messaging/api"
	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/ephemeral"
)

// What is tried at the door, by one address for one account and by one address at all.
var (
	perAccount = ephemeral.Limit{Name: "login", Max: 5, Per: time.Minute}
	perAddress = ephemeral.Limit{Name: "address", Max: 60, Per: time.Minute}
)

const maxName = 255

func (r *request) login() error {
	var in api.Login
	if err := r.decode(&in); err != nil {
		return err
	}
	var faults invalidFields
	in.Username = strings.ToLower(checkText(&faults, "username", in.Username, 1, maxName))
	if in.Password == "" {
		faults.add("password", "The %s field is required.")
	}
	device := checkOptional(&faults, "device_name", in.DeviceName, maxName)
	if err := faults.orNil(); err != nil {
		return err
	}
	user, err := r.checkPassword(in)
	if err != nil {
		return err
	}
	if device != "" {
		token, err := r.begin(user, domain.TokenSession, tokenLifetime)
		if err != nil {
			return err
		}
		return r.answer(fasthttp.StatusOK, api.Session{User: api.NewMe(user), Token: token})
	}
	if r.user != nil { // the browser was signed in, perhaps as somebody else
		if err := r.end(); err != nil {
			return err
		}
	}
	if _, err := r.begin(user, domain.CookieSession, r.server.Lifetime); err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.Session{User: api.NewMe(user), CSRFToken: r.csrf})
}

// checkPassword returns the user with this name and password.
func (r *request) checkPassword(in api.Login) (domain.User, error) {
	account := in.Username + "|" + r.clientIP()
	if err := r.limit(perAddress, r.clientIP()); err != nil {
		return domain.User{}, err
	}
	if err := r.limit(perAccount, account); err != nil {
		return domain.User{}, err
	}
	user, err := r.server.Store.UserByUsername(r.ctx, in.Username)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		user.PasswordHash = nobodysPassword() // takes as long as somebody's
	case err != nil:
		return user, err
	}
	if bcrypt.CompareHashAndPassword([]byte(user.PasswordHash), []byte(in.Password)) != nil || user.ID == 0 {
		return user, invalid("username", "These credentials do not match our records.")
	}
	// Who knows the password has not guessed it. If Redis cannot forget the attempts now, it does in a minute.
	_ = r.server.Live.Forgive(r.ctx, perAccount, account)
	return user, nil
}

var nobodysPassword = sync.OnceValue(func() string {
	hash, _ := bcrypt.GenerateFromPassword([]byte("nobody"), bcrypt.DefaultCost)
	return string(hash)
})

func (r *request) logout() error {
	if err := r.end(); err != nil {
		return err
	}
	if err := r.server.Live.Leave(r.ctx, r.user.ID); err != nil {
		r.server.Log.Warn("a user who left looks online for a while", "error", err)
	}
	return r.nothing()
}

func (r *request) whoAmI() error {
	return r.answer(fasthttp.StatusOK, api.Session{User: api.NewMe(*r.user), CSRFToken: r.csrf})
}

func (r *request) config() error {
	c := r.server.Public
	c.CSRFToken = r.csrf
	return r.answer(fasthttp.StatusOK, c)
}

const maxFound = 20

func (r *request) searchUsers() error {
	var faults invalidFields
	prefix := checkText(&faults, "search", string(r.http.QueryArgs().Peek("search")), 0, maxName)
	if err := faults.orNil(); err != nil {
		return err
	}
	found, err := r.server.Store.SearchUsers(r.ctx, r.user.ID, prefix, maxFound)
	if err != nil {
		return err
	}
	return r.answer(fasthttp.StatusOK, api.Users{Users: api.NewUsers(found)})
}
