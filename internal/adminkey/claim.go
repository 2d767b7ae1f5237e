package adminkey

import (
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// ClaimLife is how long the answer to a request with an idempotency key is kept.
const ClaimLife = 24 * time.Hour

// Claim says that a request is one of its own kind: it is carried out once,
// whoever repeats it.
type Claim struct {
	Key   ident.AdminKey
	Mark  secret.Digest // of the idempotency key
	Body  secret.Digest // of method, address and body
	At    time.Time
	Until time.Time
}

// Answer is what the request was answered. It is sealed for whoever presents
// the same admin key again.
type Answer struct {
	Status int
	Sealed []byte
}

// OtherBody is the refusal of a claim whose idempotency key stands for another
// request already.
func OtherBody() error {
	return fault.Field("Idempotency-Key", "This idempotency key was used for another request. Use a fresh one for each thing you want done.")
}

// Running is the refusal of a claim that another request holds.
func Running() error {
	return fault.New(fault.Busy, "The request with this idempotency key is still being carried out. Ask again in a moment.").About("Idempotency-Key")
}
