//go:build !unix

package pipe

import "net"

// peek: here nothing is known of a connection before it is used.
type peek struct{}

func (peek) at(net.Conn) {}

func (c *conn) alive() bool { return true }
