package dashscope

import (
	"strconv"
	"time"

	"bailiwick/internal/gateway/wire"
	"bailiwick/internal/secret"
)

// Token is the answer that holds a temporary key.
func Token(key secret.Text, until time.Time) []byte {
	b := wire.Quote([]byte(`{"token":`), key.Reveal())
	b = strconv.AppendInt(append(b, `,"expires_at":`...), until.Unix(), 10)
	return append(b, '}')
}
