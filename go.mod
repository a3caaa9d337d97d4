module github.com/plait-go/plait

go 1.25.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/leanovate/gopter v0.2.11
)

require golang.org/x/sys v0.38.0
