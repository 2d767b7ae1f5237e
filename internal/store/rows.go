package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// query asks for rows of one type. It has of gorm.G what this package uses and
// no more: gorm.G makes the compiler instantiate GORM's whole interface for
// each type of row, which doubled the time this package takes to compile.
type query[T any] struct{ tx *gorm.DB }

// of begins a query for rows of a type.
func of[T any](tx *gorm.DB, with ...clause.Expression) query[T] {
	if len(with) > 0 {
		tx = tx.Clauses(with...)
	}
	return query[T]{tx}
}

// Where narrows the query; several conditions must all hold.
func (q query[T]) Where(condition string, args ...any) query[T] {
	return query[T]{q.tx.Where(condition, args...)}
}

// Select names the columns that are read.
func (q query[T]) Select(columns string) query[T] { return query[T]{q.tx.Select(columns)} }

// Order sorts what is found.
func (q query[T]) Order(by string) query[T] { return query[T]{q.tx.Order(by)} }

// Limit bounds how many rows are found.
func (q query[T]) Limit(n int) query[T] { return query[T]{q.tx.Limit(n)} }

// Skip leaves out the first rows that are found.
func (q query[T]) Skip(n int) query[T] { return query[T]{q.tx.Offset(n)} }

// Raw asks in SQL.
func (q query[T]) Raw(sql string, args ...any) query[T] { return query[T]{q.tx.Raw(sql, args...)} }

// Take gives one row; gorm.ErrRecordNotFound when there is none.
func (q query[T]) Take(ctx context.Context) (row T, err error) {
	err = q.tx.WithContext(ctx).Take(&row).Error
	return row, err
}

// Find gives every row.
func (q query[T]) Find(ctx context.Context) (rows []T, err error) {
	err = q.tx.WithContext(ctx).Find(&rows).Error
	return rows, err
}

// Count gives the number of rows.
func (q query[T]) Count(ctx context.Context) (n int64, err error) {
	err = q.tx.WithContext(ctx).Model(new(T)).Count(&n).Error
	return n, err
}

// Create keeps a row.
func (q query[T]) Create(ctx context.Context, row *T) error {
	return q.tx.WithContext(ctx).Create(row).Error
}

// CreateInBatches keeps rows, some at a time.
func (q query[T]) CreateInBatches(ctx context.Context, rows *[]T, size int) error {
	return q.tx.WithContext(ctx).CreateInBatches(rows, size).Error
}
