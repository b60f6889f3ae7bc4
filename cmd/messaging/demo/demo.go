package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
)

// Password of the accounts wherever anybody may use them.
const Password = "password"

// Accounts are those to sign in with. The last one sees the queues.
var Accounts = []string{"alice", "bob", "carol", "admin"}

var names = map[string]string{"alice": "Alice Adams", "bob": "Bob Brown", "carol": "Carol Clark", "admin": "Ada Admin"}

// Store is what a database needs to be filled.
type Store interface {
	AddUsers(ctx context.Context, users []domain.User) ([]domain.User, error)
	AddHistory(ctx context.Context, id int64, lines []store.Line, unread map[int64]int) error
	CreateConversation(ctx context.Context, n domain.NewConversation) (int64, bool, []domain.Job, error)
	FinishJob(ctx context.Context, id string) error
}

// Seeder fills a database.
type Seeder struct {
	Store    Store
	Password string
	Now      time.Time
	Progress func(done, of int) // told of messages; may be nil
}

// Seed adds the accounts and what they said. Nothing is doubled if they are there already.
func (s *Seeder) Seed(ctx context.Context) error {
	_, err := s.accounts(ctx)
	return err
}

// accounts returns the users of Accounts, who have conversations unless somebody else has begun them.
func (s *Seeder) accounts(ctx context.Context) ([]domain.User, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(s.Password), bcrypt.DefaultCost)
	if err != nil {
		return nil, fmt.Errorf("hash the password: %w", err)
	}
	var users []domain.User
	for _, username := range Accounts {
		u := s.user(username, names[username], string(hash))
		u.IsAdmin = username == "admin"
		users = append(users, u)
	}
	if users, err = s.Store.AddUsers(ctx, users); err != nil {
		return nil, err
	}
	return users, s.talk(ctx, users)
}

func (s *Seeder) user(username, name, hash string) domain.User {
	return domain.User{Name: name, Username: username, AvatarURL: avatarURL(name), PasswordHash: hash, CreatedAt: s.Now.AddDate(0, -1, 0)}
}

// avatarURL is a picture with the initials.
func avatarURL(name string) string {
	letters := ""
	for word := range strings.FieldsSeq(strings.ToUpper(name)) {
		if word[0] >= 'A' && word[0] <= 'Z' && len(letters) < 2 {
			letters += word[:1]
		}
	}
	return "/avatars/" + letters + ".svg"
}

// line is who said what, and how long before now.
type line struct {
	who  int
	ago  time.Duration
	body string
}

var pair = []line{
	{0, 26 * time.Hour, "Hi Bob! Did the new photos arrive?"},
	{1, 25 * time.Hour, "They did. The third one is my favourite."},
	{0, 25*time.Hour - time.Minute, "Mine too 🌿"},
	{1, 3 * time.Hour, "I could print it for the exhibition."},
	{0, 2 * time.Hour, "Yes, please! How large?"},
}

var trio = []line{
	{2, 30 * time.Hour, "Who is coming to the lake on Saturday?"},
	{0, 29 * time.Hour, "I am. I bring the boat."},
	{1, 28 * time.Hour, "Me too, if it does not rain."},
	{2, time.Hour, "It will not rain. I have asked."},
	{2, time.Hour - time.Minute, "Somebody has to bring cake."},
}

// talk has the accounts begin their conversations, unless they have.
func (s *Seeder) talk(ctx context.Context, users []domain.User) error {
	isNew, err := s.converse(ctx, users[:2], "", pair, map[int64]int{users[0].ID: 0, users[1].ID: 1})
	if err != nil || !isNew {
		return err
	}
	if _, err := s.converse(ctx, users[:3], "The lake", trio, map[int64]int{users[0].ID: 2, users[1].ID: 2, users[2].ID: 0}); err != nil {
		return err
	}
	welcome := []line{{0, 10 * time.Minute, "Welcome! The queues are at /horizon, for you alone."}}
	_, err = s.converse(ctx, []domain.User{users[0], users[3]}, "", welcome, map[int64]int{users[0].ID: 0, users[3].ID: 1})
	return err
}

// converse makes a conversation and its history, and reports whether it had to.
func (s *Seeder) converse(ctx context.Context, people []domain.User, title string, lines []line, unread map[int64]int) (bool, error) {
	id, created, err := s.create(ctx, people, title)
	if err != nil || !created {
		return false, err
	}
	history := make([]store.Line, len(lines))
	for i, l := range lines {
		history[i] = store.Line{Sender: people[l.who].ID, Body: l.body, UUID: uuid.Must(uuid.NewV7()).String(), At: s.Now.Add(-l.ago)}
	}
	return true, s.Store.AddHistory(ctx, id, history, unread)
}

// create makes a conversation, of which nobody is told.
func (s *Seeder) create(ctx context.Context, people []domain.User, title string) (int64, bool, error) {
	var others []int64
	for _, u := range people[1:] {
		others = append(others, u.ID)
	}
	id, created, jobs, err := s.Store.CreateConversation(ctx, domain.NewConversation{
		CreatedBy: people[0].ID, Others: others, Title: title, At: s.Now.AddDate(0, -1, 0),
	})
	if err != nil {
		return 0, false, fmt.Errorf("create a conversation: %w", err)
	}
	for _, j := range jobs {
		if err := s.Store.FinishJob(ctx, j.ID); err != nil {
			return 0, false, err
		}
	}
	return id, created, nil
}
