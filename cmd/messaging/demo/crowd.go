package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/reverb-go/reverb-go/cmd/messaging/domain"
	"github.com/reverb-go/reverb-go/cmd/messaging/store"
)

const (
	// perConversation is how much is said in each of the many conversations, on average.
	perConversation = 100
	// inHall is the share of all messages that is said in one conversation of hallSize people.
	inHall   = 0.2
	hallSize = 12
	month    = 30 * 24 * time.Hour
)

// Crowd adds users and as many messages, said within the last month. The accounts are among those who talk. It is
// the same crowd each time.
func (s *Seeder) Crowd(ctx context.Context, users, messages int) error {
	people, err := s.accounts(ctx)
	if err != nil {
		return err
	}
	strangers, err := s.Store.AddUsers(ctx, s.strangers(users-len(people), people[0].PasswordHash))
	if err != nil {
		return fmt.Errorf("add users: %w", err)
	}
	c := crowd{Seeder: s, people: append(people, strangers...), random: rand.New(rand.NewPCG(1, 2)), of: messages}
	hall := min(int(float64(messages)*inHall), messages)
	if err := c.say(ctx, c.people[:min(len(c.people), hallSize)], hall); err != nil {
		return err
	}
	for c.done < messages {
		n := min(1+c.random.IntN(2*perConversation), messages-c.done)
		if err := c.say(ctx, c.some(2+c.random.IntN(4)), n); err != nil {
			return err
		}
	}
	return nil
}

var (
	firstNames = strings.Fields("Amara Ben Chiara Dmitri Elif Finn Grace Hugo Ines Jonas Kaya Liam Mei Noah Olga Pablo Quinn Rosa Samir Tara Uma Viktor Wren Xenia Yara Zoe")
	lastNames  = strings.Fields("Abel Baker Castro Dahl Evans Fischer Garcia Haas Ito Jensen Kim Lopez Moreau Novak Okafor Park Quist Rossi Silva Tran Ueda Vega Weber Xu Yilmaz Zhang")
)

func (s *Seeder) strangers(n int, hash string) []domain.User {
	list := make([]domain.User, max(n, 0))
	for i := range list {
		name := firstNames[i%len(firstNames)] + " " + lastNames[i/len(firstNames)%len(lastNames)]
		list[i] = s.user(fmt.Sprintf("user%d", i+1), name, hash)
	}
	return list
}

type crowd struct {
	*Seeder
	people   []domain.User
	random   *rand.Rand
	done, of int
}

// some returns n different people.
func (c *crowd) some(n int) []domain.User {
	n = min(n, len(c.people))
	list := make([]domain.User, n)
	for i, k := range c.random.Perm(len(c.people))[:n] {
		list[i] = c.people[k]
	}
	return list
}

// say has people say n things to each other in a conversation of their own.
func (c *crowd) say(ctx context.Context, people []domain.User, n int) error {
	if n == 0 {
		return nil
	}
	id, _, err := c.create(ctx, people, c.phrase(2))
	if err != nil {
		return err
	}
	begin := c.Now.Add(-month).Add(time.Duration(c.random.Int64N(int64(month / 2))))
	step := c.Now.Sub(begin) / time.Duration(n+1)
	lines := make([]store.Line, n)
	for i := range lines {
		begin = begin.Add(step)
		lines[i] = store.Line{Sender: people[c.random.IntN(len(people))].ID, Body: c.phrase(3 + c.random.IntN(20)), UUID: uuid.Must(uuid.NewV7()).String(), At: begin}
	}
	unread := make(map[int64]int, len(people))
	for _, u := range people {
		unread[u.ID] = c.random.IntN(min(n, 5))
	}
	if err := c.Store.AddHistory(ctx, id, lines, unread); err != nil {
		return fmt.Errorf("add messages: %w", err)
	}
	c.done += n
	if c.Progress != nil {
		c.Progress(c.done, c.of)
	}
	return nil
}

var words = strings.Fields("the light here is better in the morning when nobody walks past and we could meet at six or later near old bridge with coffee because it rains again tomorrow please send me your last three drafts before noon so that print shop can begin")

func (c *crowd) phrase(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = words[c.random.IntN(len(words))]
	}
	text := strings.Join(list, " ")
	return strings.ToUpper(text[:1]) + text[1:]
}
