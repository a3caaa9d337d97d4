module github.com/plait-go/plait

go 1.25.0
