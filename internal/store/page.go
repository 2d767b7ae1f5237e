package store

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"bailiwick/internal/fault"
)

// The sizes of a page.
const (
	pageUsual = 50
	pageMost  = 1000
)

func pageSize(asked int) int {
	if asked < 1 {
		return pageUsual
	}
	return min(asked, pageMost)
}

// cursorOf names the last row of a page by the columns the list is ordered by.
func cursorOf(columns ...string) string {
	text, _ := json.Marshal(columns) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

// columnsOf reads a cursor of that many columns.
func columnsOf(cursor string, count int) ([]string, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, badCursor(err)
	}
	var columns []string
	if err := json.Unmarshal(text, &columns); err != nil {
		return nil, badCursor(err)
	}
	if len(columns) != count || strings.ContainsRune(strings.Join(columns, ""), 0) {
		return nil, badCursor(nil)
	}
	return columns, nil
}

func badCursor(cause error) error {
	return fault.Field("after", "This page of the list cannot be found. Begin at the first one.").Because(cause)
}

// timeCursor and readTimeCursor are for lists by time, newest first.
func timeCursor(at stamp, id string) string { return cursorOf(strconv.FormatInt(int64(at), 10), id) }

func readTimeCursor(cursor string) (at stamp, id string, err error) {
	columns, err := columnsOf(cursor, 2)
	if err != nil {
		return 0, "", err
	}
	n, err := strconv.ParseInt(columns[0], 10, 64)
	if err != nil {
		return 0, "", badCursor(err)
	}
	return stamp(n), columns[1], nil
}

// cut takes the page from rows that were read one further, and gives the cursor
// of the next page; empty: there is none.
func cut[T any](rows []T, size int, cursor func(T) string) (page []T, next string) {
	if len(rows) <= size {
		return rows, ""
	}
	return rows[:size], cursor(rows[size-1])
}
