package demo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// Passwords gives everybody's password: the given one for all, or, when it is
// empty, those in the file, which is made with mode 0600 at the first start.
func Passwords(file string, given secret.Text) (map[ident.LogOn]secret.Text, error) {
	if !given.Empty() {
		if err := secret.CheckPassword("BAILIWICK_DEMO_PASSWORD", given); err != nil {
			return nil, err
		}
		all := map[ident.LogOn]secret.Text{}
		for _, p := range People {
			all[p.LogOn] = given
		}
		return all, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return draw(file)
	}
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s could be read by others: run chmod 600 on it", file)
	}
	return read(file, text)
}

func draw(file string) (map[ident.LogOn]secret.Text, error) {
	all := map[ident.LogOn]secret.Text{}
	var out bytes.Buffer
	for _, p := range People {
		all[p.LogOn] = secret.NewPassword()
		fmt.Fprintf(&out, "%s@%s %s\n", p.LogOn, Alias, all[p.LogOn].Reveal())
	}
	return all, secret.WriteFile(file, out.Bytes())
}

func read(file string, text []byte) (map[ident.LogOn]secret.Text, error) {
	all := map[ident.LogOn]secret.Text{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, password, found := strings.Cut(lines.Text(), " ")
		logOn, _, err := ident.SplitLogOn(name)
		if !found || err != nil {
			return nil, fmt.Errorf("%s holds a line that is not `name@%s password`: run `make demo-reset` to start over", file, Alias)
		}
		all[logOn] = secret.NewText(password)
	}
	for _, p := range People {
		if all[p.LogOn].Empty() {
			return nil, fmt.Errorf("%s has no password for %s: run `make demo-reset` to start over", file, p.LogOn)
		}
	}
	return all, nil
}
