package guard_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider/guard"
)

func made(t *testing.T, allow ...string) *guard.Guard {
	t.Helper()
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// verdict is what the guard says to an address when it is saved.
func verdict(t *testing.T, g *guard.Guard, address string) error {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		return err // nothing that does not parse is ever saved
	}
	return g.Check(u)
}

func TestSec22_AddressesThatAreNeverSpokenToAreRefusedWhateverIsAllowed(t *testing.T) {
	g := made(t, "0.0.0.0/0", "::/0")
	for _, address := range []string{
		"http://169.254.169.254/v1", "http://[::ffff:a9fe:a9fe]/v1", "http://[fd00:ec2::254]/v1", "http://0.0.0.0/v1", "http://[::]/v1",
		"http://[fe80::1%25eth0]/v1", "http://224.0.0.1/v1", "http://255.255.255.255/v1", "http://[64:ff9b::a9fe:a9fe]/v1",
		"http://127.1/v1", "http://2130706433/v1", "http://0x7f.1/v1", "http://0177.0.0.1/v1", "http://user@host/v1", `http://ok\@evil/v1`,
		"http://host:22/v1", "http://host:6379/v1", "http://host:25/v1", "http://host:0/v1", "http://host:/v1", "file:///etc/passwd", "gopher://host/v1",
		"http://169.254.169.254.:80/v1", "http://[::127.0.0.1%25x]/v1",
	} {
		if err := verdict(t, g, address); err == nil {
			t.Errorf("%s is let through", address)
		}
	}
}

func TestSec22_PrivateAddressesNeedTheOperatorsLeave(t *testing.T) {
	for _, address := range []string{"http://10.1.2.3:8000/v1", "http://192.168.1.1/v1", "http://172.16.0.1/v1", "http://100.64.0.1/v1", "http://127.0.0.1:11434/v1",
		"http://[::1]:8000/v1", "http://[fd12::1]/v1", "http://localhost:8000/v1", "http://x.localhost/v1", "http://[::ffff:10.1.2.3]/v1"} {
		err := verdict(t, made(t), address)
		if f, ok := fault.On(err, "base_url"); !ok || !strings.Contains(f.Message, "--allow-private") {
			t.Errorf("%s: %v does not say how to allow it", address, err)
		}
	}
	for address, allow := range map[string]string{"http://10.1.2.3:8000/v1": "10.0.0.0/8", "http://127.0.0.1:11434/v1": "127.0.0.0/8",
		"http://localhost:8000/v1": "localhost:8000", "http://[::1]:8000/v1": "::1", "http://[::ffff:10.1.2.3]/v1": "10.1.2.3"} {
		if err := verdict(t, made(t, allow), address); err != nil {
			t.Errorf("%s with leave for %s: %v", address, allow, err)
		}
	}
	for _, address := range []string{"https://api.example.com/v1", "http://192.0.2.7:8000/v1", "https://[2606:4700::1]/v1"} {
		if err := verdict(t, made(t), address); err != nil {
			t.Errorf("%s is public: %v", address, err)
		}
	}
}

func TestSec22_TheAddressIsAskedAgainWhenAConnectionIsMade(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	// A name is judged by what it resolves to now.
	var refused *guard.Refused
	if _, err := made(t).DialContext(ctx, "tcp", net.JoinHostPort("localhost", port)); !errors.As(err, &refused) {
		t.Errorf("without leave: %v", err)
	}
	c, err := made(t, "127.0.0.0/8", "::1").DialContext(ctx, "tcp", net.JoinHostPort("localhost", port))
	if err != nil {
		t.Fatalf("with leave: %v", err)
	}
	c.Close()
	g := made(t, "127.0.0.0/8", "::1")
	g.Never(l.Addr())
	if _, err := g.DialContext(ctx, "tcp", l.Addr().String()); !errors.As(err, &refused) {
		t.Errorf("our own listener: %v", err)
	}
}

func TestWhatCannotBeAllowedIsSaidAtTheStart(t *testing.T) {
	for _, bad := range []string{"", "everything", "10.0.0.0/99", "host:", ":80"} {
		if _, err := guard.New([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzNoSpellingReachesTheMetadataAddress(f *testing.F) {
	for _, s := range []string{"169.254.169.254", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "169.254.43518", "localhost"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		u, err := url.Parse("http://" + host + "/v1")
		if err != nil {
			return
		}
		g, _ := guard.New([]string{"0.0.0.0/0", "::/0"})
		if g.Check(u) != nil {
			return
		}
		if a := net.ParseIP(u.Hostname()); a != nil && (a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast()) {
			t.Errorf("%q is let through and means %s", host, a)
		}
	})
}
