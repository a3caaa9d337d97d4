//go:build linux

package procpool

import (
	"sync/atomic"

	"github.com/plait-go/plait/userprocess/page"
)

// The page that all processes of a pool share has so many words for each slot: some
// banks, of which each of its processes has one, and those of the application.
const (
	banks     = 8 // processes of a slot that live at a time; more are not counted
	bankWords = 8 // a cache line
	ownWords  = banks * bankWords

	wordBegun = 0 // requests, in a bank
	wordDone  = 1
)

// maxWords is how many words a slot can have for the application.
const maxWords = 1 << 12

// A sharedPage is that page.
type sharedPage struct {
	*page.Page
	words []atomic.Int64
	each  int // words of a slot
}

func newSharedPage(p *page.Page, words int) *sharedPage {
	return &sharedPage{Page: p, words: p.Words(), each: ownWords + words}
}

// bank returns the words of a process. There is always one more, which is in no page.
func (s *sharedPage) bank(number, bank int) []atomic.Int64 {
	if bank >= banks {
		return make([]atomic.Int64, bankWords)
	}
	at := number*s.each + bank*bankWords
	return s.words[at : at+bankWords]
}

// application returns the application's words of a slot.
func (s *sharedPage) application(number int) []atomic.Int64 {
	return s.words[number*s.each+ownWords : (number+1)*s.each]
}

// reset clears a bank.
func (s *sharedPage) reset(number, bank int) {
	words := s.bank(number, bank)
	for i := range words {
		words[i].Store(0)
	}
}

// requests returns how many requests a process has begun, and done, as it says.
func (s *sharedPage) requests(number, bank int) (begun, done int64) {
	words := s.bank(number, bank)
	done = words[wordDone].Load()
	return words[wordBegun].Load(), done
}
