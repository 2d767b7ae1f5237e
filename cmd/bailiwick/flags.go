package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"bailiwick/internal/provider"
)

// serving is what serve and demo are told.
type serving struct {
	place
	Listen        string        `help:"Address to listen on." default:"127.0.0.1:8080" env:"BAILIWICK_LISTEN" placeholder:"HOST:PORT"`
	BaseURL       string        `help:"Address under which people and programs reach this server, such as https://models.example.com." env:"BAILIWICK_BASE_URL" placeholder:"URL"`
	CloudName     string        `help:"Name of the cloud in \"Manage … Account\"." default:"Alibaba Cloud" env:"BAILIWICK_CLOUD_NAME" placeholder:"NAME"`
	Connections   int           `help:"How many connections may be open at once." default:"16384" env:"BAILIWICK_CONNECTIONS" placeholder:"N"`
	PerAddress    int           `help:"How many of them may come from one address that is no trusted proxy." default:"2048" env:"BAILIWICK_PER_ADDRESS" placeholder:"N"`
	TrustedProxy  []string      `help:"Addresses or networks of proxies whose X-Forwarded-For is believed." env:"BAILIWICK_TRUSTED_PROXY" placeholder:"CIDR"`
	AllowPrivate  []string      `help:"Private or loopback addresses that providers may have: networks, or host:port." env:"BAILIWICK_ALLOW_PRIVATE" placeholder:"CIDR|HOST:PORT"`
	Trainers      string        `help:"File that declares the programs of this host that train models, in JSON. Only its owner may be able to write it." env:"BAILIWICK_TRAINERS" placeholder:"FILE"`
	SharedFolder  []string      `help:"Folders of this host that vLLM and SGLang see too, so that they can load what was trained: HERE=THERE, or HERE where they have it at the same place." env:"BAILIWICK_SHARED_FOLDER" placeholder:"HERE=THERE"`
	MetricsListen string        `help:"Address for metrics, health and profiles; only operators should reach it. Default: 127.0.0.1:9464 if it is free; \"off\" for none." env:"BAILIWICK_METRICS_LISTEN" placeholder:"HOST:PORT"`
	ServeStale    time.Duration `help:"How long known keys are served when the database does not answer; negative: not at all." default:"15m" env:"BAILIWICK_SERVE_STALE" placeholder:"DURATION"`
	KeepCalls     int           `help:"Days that single calls are kept; 0: for ever." default:"90" env:"BAILIWICK_KEEP_CALLS" placeholder:"DAYS"`
	KeepHours     int           `help:"Days that sums of usage by the hour are kept; 0: for ever." default:"1095" env:"BAILIWICK_KEEP_HOURS" placeholder:"DAYS"`
	KeepDays      int           `help:"Days that sums of usage by the day are kept; 0: for ever." default:"1095" env:"BAILIWICK_KEEP_DAYS" placeholder:"DAYS"`
	InsecureHTTP  bool          `help:"Serve people over plain HTTP on an address that is not loopback. Passwords and keys can then be read on the way." env:"BAILIWICK_INSECURE_HTTP"`
}

// address works out how people reach the server, and refuses to carry
// passwords in clear beyond this machine unless told to.
func (c serving) address() (base *url.URL, plainHTTP bool, err error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, false, fmt.Errorf("--listen %q: write host:port, such as 127.0.0.1:8080", c.Listen)
	}
	base = &url.URL{Scheme: "http", Host: c.Listen}
	if c.BaseURL != "" {
		if base, err = provider.CanonicalURL(c.BaseURL); err != nil || base.Path != "" {
			return nil, false, fmt.Errorf("--base-url %q: write scheme and host only, such as https://models.example.com", c.BaseURL)
		}
	}
	plainHTTP = base.Scheme == "http"
	if plainHTTP && !c.InsecureHTTP && (!loopback(host) || !loopback(base.Hostname())) {
		return nil, false, errors.New("this would carry passwords in clear over the network: put a TLS proxy in front and give --base-url https://…, or say --insecure-http")
	}
	return base, plainHTTP, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// prefixes reads addresses and networks.
func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %q is neither an address nor a network such as 10.0.0.0/8", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
