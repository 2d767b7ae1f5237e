package account

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"bailiwick/internal/access"
	"bailiwick/internal/fault"
	"bailiwick/internal/ident"
	"bailiwick/internal/secret"
)

// RosterMax is how many people one file may bring.
const RosterMax = 1000

// RosterLine is what became of one line of an imported file.
type RosterLine struct {
	Line    int // in the file, from 1
	Profile Profile
	Error   string      // empty: well
	Token   secret.Text // of the first log-on link; empty unless the user was added

	token secret.Text // until then
}

// Roster reads RAM users from CSV with the columns "logon", "name" and "email"
// (a first line that names them may change their order) and adds them. A dry
// run reports what would happen, line by line, and changes nothing; a real one
// adds nobody unless every line is well. It needs users:change.
func (s *People) Roster(ctx context.Context, by access.Actor, file io.Reader, dry bool) (lines []RosterLine, well bool, err error) {
	if err := by.Require(access.ChangeUsers); err != nil {
		return nil, false, err
	}
	if lines, err = readRoster(file); err != nil {
		return nil, false, err
	}
	newcomers, err := s.newcomers(ctx, by, lines)
	if err != nil {
		return nil, false, err
	}
	well = len(newcomers) == len(lines)
	if dry || !well {
		return lines, well, nil
	}
	if err := s.insert(ctx, by, newcomers...); err != nil {
		return nil, false, err
	}
	for i := range lines {
		lines[i].Token = lines[i].token
	}
	return lines, true, nil
}

// newcomers makes a newcomer of every line that is well, and says of the others
// what is wrong.
func (s *People) newcomers(ctx context.Context, by access.Actor, lines []RosterLine) (all []Newcomer, err error) {
	taken, err := s.taken(ctx, by, lines)
	if err != nil {
		return nil, err
	}
	seen := map[ident.LogOn]int{}
	for i := range lines {
		l := &lines[i]
		if l.Error != "" {
			continue
		}
		n, token, err := s.invited(by, l.Profile)
		switch before := seen[n.User.LogOn]; {
		case err != nil:
			l.Error = fault.Show(err)
		case before > 0:
			l.Error = "The log-on name stands on line " + strconv.Itoa(before) + " already."
		case taken[n.User.LogOn]:
			l.Error = "There is already a user with this log-on name."
		default:
			l.token, seen[n.User.LogOn] = token, l.Line
			all = append(all, n)
		}
	}
	return all, nil
}

func (s *People) taken(ctx context.Context, by access.Actor, lines []RosterLine) (map[ident.LogOn]bool, error) {
	names := make([]ident.LogOn, len(lines))
	for i, l := range lines {
		names[i] = ident.LogOn(l.Profile.LogOn)
	}
	there, err := s.Store.Taken(ctx, by.Account, names)
	taken := map[ident.LogOn]bool{}
	for _, name := range there {
		taken[name] = true
	}
	return taken, err
}

func readRoster(file io.Reader) ([]RosterLine, error) {
	r := csv.NewReader(file)
	r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = -1, true, false
	columns := map[string]int{"logon": 0, "name": 1, "email": 2}
	var lines []RosterLine
	for first := true; ; first = false {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Field("file", "The file is no CSV: %s.", err)
		}
		number, _ := r.FieldPos(0)
		if first {
			record[0] = strings.TrimPrefix(record[0], "\ufeff") // what spreadsheets begin a file with
			if named, ok := header(record); ok {
				columns = named
				continue
			}
		}
		if len(lines) == RosterMax {
			return nil, fault.Field("file", "A file brings at most %d people. Split it.", RosterMax)
		}
		lines = append(lines, rosterLine(number, record, columns))
	}
	if len(lines) == 0 {
		return nil, fault.Field("file", "The file names nobody. Write one person a line: logon,name,email.")
	}
	return lines, nil
}

// header reads the columns' order from the first line, if it names them.
func header(record []string) (map[string]int, bool) {
	columns := map[string]int{}
	for i, c := range record {
		c = strings.ToLower(strings.TrimSpace(c))
		if c == "logon" || c == "name" || c == "email" {
			columns[c] = i
		}
	}
	_, ok := columns["logon"]
	return columns, ok
}

func rosterLine(number int, record []string, columns map[string]int) RosterLine {
	field := func(name string) string {
		if i, ok := columns[name]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	l := RosterLine{Line: number, Profile: Profile{LogOn: strings.ToLower(field("logon")), Name: field("name"), Email: field("email")}}
	if len(record) > 3 {
		l.Error = "The line has more than three columns."
	}
	if l.Profile.LogOn == "" {
		l.Error = "The line has no log-on name."
	}
	return l
}
