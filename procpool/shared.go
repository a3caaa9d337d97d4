//go:build linux

package procpool

import (
	"sync/atomic"

	"github.com/plait-go/plait/userprocess/page"
)

// The page that all processes of a pool share has so many words for each slot: two
// banks of bankWords, for a worker and its successor, and those of the application.
const (
	bankWords = 8 // a cache line
	ownWords  = 2 * bankWords

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

// bank returns the words of an incarnation, and of every second one.
func (s *sharedPage) bank(number, incarnation int) []atomic.Int64 {
	at := number*s.each + incarnation%2*bankWords
	return s.words[at : at+bankWords]
}

// application returns the application's words of a slot.
func (s *sharedPage) application(number int) []atomic.Int64 {
	return s.words[number*s.each+ownWords : (number+1)*s.each]
}

// reset clears the bank of an incarnation that is not there yet.
func (s *sharedPage) reset(number, incarnation int) {
	bank := s.bank(number, incarnation)
	for i := range bank {
		bank[i].Store(0)
	}
}

// requests returns how many requests an incarnation has begun, and done, as it says.
func (s *sharedPage) requests(number, incarnation int) (begun, done int64) {
	bank := s.bank(number, incarnation)
	done = bank[wordDone].Load()
	return bank[wordBegun].Load(), done
}
