package secret

import (
	"math"
	"strings"
)

// keyboards are where the keys of common keyboards lie, row by row from the left;
// a row of the second kind has the signs that Shift gives the keys above it.
var keyboards = []struct {
	rows  []string
	right []float64 // how far right a row begins, in keys
}{
	{[]string{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"}, staggered},
	{[]string{"!@#$%^&*()_+", "qwertyuiop{}", `asdfghjkl:"`, "zxcvbnm<>?"}, staggered},
	{[]string{"1234567890ß", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"}, staggered},
	{[]string{"&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"}, staggered},
	{[]string{"1234567890[]", "',.pyfgcrl/=", "aoeuidhtns-", ";qjkxbmwvz"}, staggered},
	{[]string{"789", "456", "123", "0"}, []float64{0, 0, 0, 0}},
}

var staggered = []float64{0, 0.5, 0.75, 1.25}

// beside is the key so many keys right of another one, of a usual keyboard, or 0.
func beside(key rune, right int) rune {
	for _, row := range keyboards[0].rows {
		if at := strings.IndexRune(row, key); at >= 0 && 0 <= at+right && at+right < len(row) {
			return rune(row[at+right])
		}
	}
	return 0
}

// walks finds where fingers went from key to neighbouring key.
func (g *guesser) walks() {
	for _, k := range keyboards {
		at := map[rune][2]float64{}
		for y, row := range k.rows {
			for x, r := range []rune(row) {
				at[r] = [2]float64{float64(x) + k.right[y], float64(y)}
			}
		}
		for from := range g.text {
			g.walk(from, at)
		}
	}
}

// walk finds how far one goes from a key on. It costs to think of the first
// key, of where to turn, and of the way from there.
func (g *guesser) walk(from int, at map[rune][2]float64) {
	turns, way := 0, [2]float64{}
	for to := from + 1; to < len(g.text); to++ {
		here, known := at[g.text[to-1]]
		there, reached := at[g.text[to]]
		x, y := there[0]-here[0], there[1]-here[1]
		if !known || !reached || math.Abs(x) > 1 || math.Abs(y) > 1 || x == 0 && y == 0 {
			return
		}
		if next := [2]float64{math.Copysign(math.Ceil(math.Abs(x)), x), y}; next != way {
			turns, way = turns+1, next
		}
		if n := to + 1 - from; n > 2 {
			g.found(from, to+1, math.Log2(float64(len(at)))+float64(turns)*(2.2+g.log[n-1])-g.log[n-1]+g.log[n])
		}
	}
}
