package guard_test

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"bailiwick/internal/fault"
	"bailiwick/internal/provider/guard"
)

func check(t *testing.T, g *guard.Guard, base string) error {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	err = g.Check(u)
	if _, ok := fault.On(err, "base_url"); err != nil && !ok {
		t.Errorf("%s: %v is no fault on base_url", base, err)
	}
	return err
}

func TestSec22_EverySpellingIsJudgedByWhatItMeans(t *testing.T) {
	none, _ := guard.New(nil)
	all, err := guard.New([]string{"0.0.0.0/0", "::/0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{
		"http://169.254.169.254/latest", "http://[::ffff:a9fe:a9fe]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[fd00:ec2::254]/", "http://[fe80::1%25eth0]/", "http://[fe80::1]/",
		"http://0.0.0.0:8000", "http://[::]:8000", "http://224.0.0.1", "http://255.255.255.255", "http://[ff02::1]", "http://100.100.100.200", "http://[::a9fe:a9fe]", "http://[2002:a9fe:a9fe::1]",
		"http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://0x7f000001/", "http://017700000001/", "http://127.0.0.01/", "http://１27.0.0.1/",
		"http://user@example.com/", "http://example.com:22/", "http://example.com:25/", "http://example.com:6379/", "http://example.com:0/", "http://example.com:99999/",
		"file:///etc/passwd", "gopher://example.com/", "http://exa mple.com/", "http://ok\\@evil/", "http://./", "http://a..b/", "http://[::1%25lo]/",
	} {
		if check(t, all, never) == nil {
			t.Errorf("%s is taken", never)
		}
	}
	for _, leave := range []string{"http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://[::ffff:127.0.0.1]:8000", "http://10.1.2.3/v1", "http://192.168.1.1", "http://172.31.0.1", "http://100.64.0.1", "http://[fd12::1]/", "http://localhost:11434/v1", "http://x.localhost/"} {
		err := check(t, none, leave)
		if err == nil || !strings.Contains(err.Error(), "--allow-private") {
			t.Errorf("%s: %v", leave, err)
		}
		if err := check(t, all, leave); err != nil {
			t.Errorf("%s, allowed: %v", leave, err)
		}
	}
	for _, fine := range []string{"https://api.openai.com/v1", "http://8.8.8.8:8000/v1", "https://gpu-1.example.com:8443", "http://[2606:4700::1111]/v1"} {
		if err := check(t, none, fine); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
}

func TestTheOperatorAllowsNetworksAddressesAndHosts(t *testing.T) {
	g, err := guard.New([]string{"10.20.0.0/16", "192.168.1.7", "GPU-1.localhost:8000", "127.0.0.1:11434"})
	if err != nil {
		t.Fatal(err)
	}
	for base, ok := range map[string]bool{
		"http://10.20.3.4:8000": true, "http://10.21.3.4:8000": false, "http://192.168.1.7": true, "http://192.168.1.8": false,
		"http://gpu-1.localhost:8000/v1": true, "http://gpu-1.localhost:8001/v1": false, "http://127.0.0.1:11434/v1": true, "http://127.0.0.1:11435/v1": false,
	} {
		if err := check(t, g, base); (err == nil) != ok {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, bad := range []string{"", "10.0.0.0/99", "gpu-1", "http://gpu-1:80", ":80"} {
		if _, err := guard.New([]string{bad}); err == nil || !strings.Contains(err.Error(), "--allow-private") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSec22_AHostThatIsAllowedIsStillNotOurOwnListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	dial := func(g *guard.Guard, host string) error {
		c, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			c.Close()
		}
		return err
	}
	none, _ := guard.New(nil)
	var refused *guard.Refused
	for _, host := range []string{"localhost", "127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"} {
		if err := dial(none, host); !errors.As(err, &refused) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, allow := range []string{"127.0.0.0/8", "localhost:" + port} {
		g, _ := guard.New([]string{allow, "::1/128"})
		if err := dial(g, "localhost"); err != nil {
			t.Errorf("%s: %v", allow, err)
		}
		g.Never(ln.Addr())
		if err := dial(g, "localhost"); !errors.As(err, &refused) {
			t.Errorf("our own listener, with %s: %v", allow, err)
		}
	}
}
