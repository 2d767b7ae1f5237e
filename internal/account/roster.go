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
	"bailiwick/internal/secret"
)

// RosterMax is how many people one file may bring.
const RosterMax = 1000

// RosterLine is what became of one line of an imported file.
type RosterLine struct {
	Line    int // in the file, from 1
	Profile Profile
	Error   string      // empty: well
	Token   secret.Text // of the first log-on link; empty in a dry run
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
	well = true
	seen := map[string]int{}
	for i := range lines {
		if lines[i].Error == "" {
			lines[i].Error = s.wrongWith(ctx, by, lines[i], seen)
		}
		well = well && lines[i].Error == ""
	}
	if dry || !well {
		return lines, well, nil
	}
	for i := range lines {
		if _, lines[i].Token, err = s.Add(ctx, by, lines[i].Profile); err != nil {
			lines[i].Error = fault.Show(err)
			return lines, false, nil
		}
	}
	return lines, true, nil
}

// wrongWith says why a line cannot be added; empty: it can.
func (s *People) wrongWith(ctx context.Context, by access.Actor, l RosterLine, seen map[string]int) string {
	u, err := s.fresh(by, l.Profile)
	if err != nil {
		return fault.Show(err)
	}
	if before, twice := seen[string(u.LogOn)]; twice {
		return "The log-on name stands on line " + strconv.Itoa(before) + " already."
	}
	seen[string(u.LogOn)] = l.Line
	switch _, err := s.Store.UserByLogOn(ctx, by.Alias, u.LogOn); {
	case err == nil:
		return "There is already a user with this log-on name."
	case !fault.Is(err, fault.Missing):
		return fault.Show(err)
	}
	return ""
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
		c = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(c, "\ufeff")))
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
