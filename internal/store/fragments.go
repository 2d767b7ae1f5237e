package store

import (
	"slices"

	"gorm.io/gorm"
)

// A fragment is what begins at one character of a searched text, cut at 16: a
// text has one for each of its characters, so that whatever part of it is
// searched for is the beginning of a fragment, which an index finds. Fragments
// stand on shelves, one for the keys of each workspace and one for the users of
// each account, and name what they are of by its number. They are kept in the
// transaction that changes the text.
const fragmentLen = 16

// fragmentsOf gives the fragments of a folded text, each once.
func fragmentsOf(text string) []string {
	letters := []rune(text)
	list := make([]string, len(letters))
	for i := range letters {
		list[i] = string(letters[i:min(i+fragmentLen, len(letters))])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// fragmentRow is one fragment.
type fragmentRow struct {
	Shelf    int64
	Fragment string
	Item     int64
}

func (fragmentRow) TableName() string { return "fragments" }

// shelve lets an item be found by a text.
func shelve[T ~string](tx *gorm.DB, owner T, item int64, text string) error {
	if text == "" {
		return nil
	}
	shelf, err := shelfOf(tx, string(owner))
	if err != nil {
		return err
	}
	var rows []fragmentRow
	for _, f := range fragmentsOf(text) {
		rows = append(rows, fragmentRow{shelf, f, item})
	}
	return tx.CreateInBatches(rows, 300).Error
}

// unshelve undoes that.
func unshelve[T ~string](tx *gorm.DB, owner T, item int64, text string) error {
	if text == "" {
		return nil
	}
	shelf, err := shelfOf(tx, string(owner))
	if err != nil {
		return err
	}
	_, err = exec(tx, "DELETE FROM fragments WHERE shelf = ? AND fragment IN ? AND item = ?", shelf, fragmentsOf(text), item)
	return err
}

// reshelve is for a text that changes.
func reshelve[T ~string](tx *gorm.DB, owner T, item int64, before, after string) error {
	if before == after {
		return nil
	}
	if err := unshelve(tx, owner, item, before); err != nil {
		return err
	}
	return shelve(tx, owner, item, after)
}

// shelfOf finds the shelf of an owner, or puts one up.
func shelfOf(tx *gorm.DB, owner string) (number int64, err error) {
	const find = "SELECT number FROM shelves WHERE owner = ?"
	if err = tx.Raw(find, owner).Scan(&number).Error; err != nil || number != 0 {
		return number, err
	}
	err = tx.Raw("INSERT INTO shelves (number, owner) SELECT coalesce(max(number), 0) + 1, ? FROM shelves RETURNING number", owner).Scan(&number).Error
	return number, err
}

// numberKey gives the number of a key that was created then: the first that is
// free from there on.
func numberKey(tx *gorm.DB, created stamp) (number int64, err error) {
	err = tx.Raw(`SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM keys WHERE number = @at) THEN @at ELSE
		(SELECT k.number + 1 FROM keys k WHERE k.number >= @at AND NOT EXISTS (SELECT 1 FROM keys n WHERE n.number = k.number + 1) ORDER BY k.number LIMIT 1) END`,
		map[string]any{"at": int64(created)}).Scan(&number).Error
	return number, err
}

// createUser keeps a row under the next number, and what it is found by.
func createUser(tx *gorm.DB, row *userRow) error {
	if err := tx.Raw("SELECT coalesce(max(number), 0) + 1 FROM users").Scan(&row.Number).Error; err != nil {
		return err
	}
	if err := tx.Create(row).Error; err != nil {
		return err
	}
	return shelve(tx, row.Account, row.Number, row.Folded)
}

// createKey does the same for a key.
func createKey(tx *gorm.DB, row *keyRow) (err error) {
	if row.Number, err = numberKey(tx, row.Created); err != nil {
		return err
	}
	if err := tx.Create(row).Error; err != nil {
		return err
	}
	return shelve(tx, row.Workspace, row.Number, row.Folded)
}
