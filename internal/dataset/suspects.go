package dataset

import "bytes"

// suspect warns of what looks like a secret or a card number. It says where, and
// never what.
func (c *Check) suspect(line []byte) {
	if looksSecret(line) {
		c.warn(MaybeSecret, "", "What a model is trained on it may say to anybody who calls it.", "The line holds what looks like a key or a password's kin.")
	}
	if hasCardNumber(line) {
		c.warn(MaybeCardNumber, "", "What a model is trained on it may say to anybody who calls it.", "The line holds what looks like a payment card's number.")
	}
}

// marks begin secrets of well-known kinds; so many characters of a secret follow.
var marks = []struct {
	begin []byte
	more  int
}{
	{[]byte("sk-"), 20}, {[]byte("AKIA"), 16}, {[]byte("LTAI"), 12}, {[]byte("ghp_"), 30}, {[]byte("github_pat_"), 30},
	{[]byte("xoxb-"), 20}, {[]byte("glpat-"), 20}, {[]byte("AIza"), 35}, {[]byte("eyJhbGciOi"), 40},
}

func looksSecret(line []byte) bool {
	if bytes.Contains(line, []byte("PRIVATE KEY-----")) {
		return true
	}
	for _, m := range marks {
		rest := line
		for {
			at := bytes.Index(rest, m.begin)
			if at < 0 {
				break
			}
			alone := at == 0 || !secretByte(rest[at-1])
			rest = rest[at+len(m.begin):]
			if alone && len(rest) >= m.more && runOf(rest[:m.more]) {
				return true
			}
		}
	}
	return false
}

func runOf(text []byte) bool {
	for _, b := range text {
		if !secretByte(b) {
			return false
		}
	}
	return true
}

func secretByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' || b == '-' || b == '.'
}

// hasCardNumber finds 13 to 19 digits, together or in groups, whose last one is
// right by Luhn's formula and which begin as cards do.
func hasCardNumber(line []byte) bool {
	var digits [20]byte
	n := 0
	for i := 0; i <= len(line); i++ {
		var b byte
		if i < len(line) {
			b = line[i]
		}
		switch {
		case b >= '0' && b <= '9':
			if n < len(digits) {
				digits[n] = b - '0'
			}
			n++
		case (b == ' ' || b == '-') && n > 0 && i+1 < len(line) && line[i+1] >= '0' && line[i+1] <= '9':
		default:
			if n >= 13 && n <= 19 && digits[0] >= 3 && digits[0] <= 6 && luhn(digits[:n]) {
				return true
			}
			n = 0
		}
	}
	return false
}

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i])
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
