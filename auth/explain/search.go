package explain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/reverb-go/reverb-go/auth"
)

// A variant is one value that may have been signed in place of the right one.
type variant struct {
	value   string
	finding Finding // zero for the right value
}

// The parts of what is signed.
const (
	partSecret = iota
	partSocket
	partChannel
	partData
	partForm
	parts
)

// maxWrong is how many parts may differ at once. With more, whatever is found would be a matter of luck, and of
// minutes.
const maxWrong = 2

// maxTries bounds the work whatever is known.
const maxTries = 100_000

// search returns what is wrong with the parts of the text that the signature is of; nothing, if all are right. ok is
// false if it is of no text that was tried.
func search(app *auth.App, c Claim, signature string, k Known) (found []Finding, ok bool) {
	s := searcher{signature: signature, parts: variants(app, c, k), left: maxTries}
	for wrong := range maxWrong + 1 {
		if s.try(0, wrong) {
			return s.findings(), true
		}
	}
	return nil, false
}

type searcher struct {
	signature string
	parts     [parts][]variant // the right value first
	chosen    [parts]variant
	left      int // of the tries
}

// try chooses the values of the parts from the given one on, of which so many are to be wrong.
func (s *searcher) try(part, wrong int) bool {
	if part == parts {
		return wrong == 0 && s.isIt()
	}
	all := s.parts[part]
	s.chosen[part] = all[0]
	if s.try(part+1, wrong) {
		return true
	}
	if wrong == 0 {
		return false
	}
	for _, v := range all[1:] {
		if s.left == 0 {
			return false
		}
		s.chosen[part] = v
		if s.try(part+1, wrong-1) {
			return true
		}
	}
	return false
}

func (s *searcher) isIt() bool {
	if s.left == 0 {
		return false
	}
	s.left--
	text := forms[s.chosen[partForm].value].text(s.chosen[partSocket].value, s.chosen[partChannel].value, s.chosen[partData].value)
	mac := hmac.New(sha256.New, []byte(s.chosen[partSecret].value))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil)) == s.signature
}

func (s *searcher) findings() (list []Finding) {
	for _, v := range s.chosen {
		if v.finding != (Finding{}) {
			list = append(list, v.finding)
		}
	}
	return list
}
