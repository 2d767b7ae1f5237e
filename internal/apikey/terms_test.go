package apikey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bailiwick/internal/apikey"
	"bailiwick/internal/fault"
)

func TestNetworksAreReadAsTheyAreCompared(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		" \n ":                               "",
		"10.1.2.3":                           "10.1.2.3/32",
		"10.1.2.3/8":                         "10.0.0.0/8",
		"2001:DB8::1":                        "2001:db8::1/128",
		"2001:db8::ffff/32":                  "2001:db8::/32",
		"::ffff:10.1.2.3":                    "10.1.2.3/32",
		"::ffff:10.1.2.3/104":                "10.0.0.0/8",
		"10.0.0.1 10.0.0.1 10.0.0.1/32":      "10.0.0.1/32",
		"192.168.0.0/16 10.0.0.0/8":          "10.0.0.0/8 192.168.0.0/16",
		"0.0.0.0/0":                          "0.0.0.0/0",
		"::/0 0.0.0.0/0":                     "",
		"::/0 0.0.0.0/0 10.0.0.0/8":          "",
		"10.0.0.0/33":                        "fault",
		"10.0.0":                             "fault",
		"010.0.0.1":                          "fault",
		"localhost":                          "fault",
		"fe80::1%eth0":                       "fault",
		"::ffff:10.0.0.0/95":                 "fault",
		"10.0.0.0/-1":                        "fault",
		"10.0.0.0/08":                        "fault",
		"1.2.3.4:80":                         "fault",
		strings.Repeat("1", 5000):            "fault",
		strings.Join(addresses(20), " "):     strings.Join(addresses(20), "/32 ") + "/32",
		strings.Join(addresses(21), " "):     "fault",
		strings.Repeat("10.0.0.1 ", 21) + "": "10.0.0.1/32",
	} {
		got, err := apikey.ParseNetworks(strings.Split(text, " "))
		if want == "fault" {
			if f, ok := fault.On(err, "networks"); !ok || f.Kind != fault.Invalid {
				t.Errorf("%.60q: %v, %v", text, got, err)
			}
			continue
		}
		if err != nil || !slices.Equal(strings.Fields(strings.Trim(fmt.Sprint(got), "[]")), strings.Fields(want)) {
			t.Errorf("%.60q: %v, %v; want %s", text, got, err, want)
		}
	}
}

func addresses(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("10.0.1.%d", i))
	}
	return list
}

func FuzzParseNetworks(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "::ffff:1.2.3.4/100", "fe80::1%1", "::/0", "1.2.3.4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := apikey.ParseNetworks([]string{text})
		for _, p := range list {
			if err != nil || !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
				t.Errorf("%q became %v, %v", text, p, err)
			}
			again, err := apikey.ParseNetworks([]string{p.String()})
			if err != nil || len(again) != 1 || again[0] != p {
				t.Errorf("%v became %v, %v", p, again, err)
			}
		}
	})
}
