package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// row is one record of a CSV file by the names of its header.
type row map[string]string

func (r row) number(column string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(r[column]), 64)
	if err != nil {
		return 0, fmt.Errorf("column %s: %w", column, err)
	}
	return v, nil
}

// eachRow calls f for every record of a CSV file, which may be gzipped (.gz) and must have the columns.
func eachRow(name string, columns []string, f func(r row) error) (err error) {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read table: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			return fmt.Errorf("read table: %w", err)
		}
		from = unzipped
	}
	reader := csv.NewReader(from)
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("read header of %s: %w", name, err)
	}
	for _, want := range columns {
		found := false
		for _, got := range header {
			found = found || got == want
		}
		if !found {
			return fmt.Errorf("read %s: no column %s", name, want)
		}
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		r := make(row, len(header))
		for i, column := range header {
			r[column] = record[i]
		}
		if err := f(r); err != nil {
			line, _ := reader.FieldPos(0)
			return fmt.Errorf("%s line %d: %w", name, line, err)
		}
	}
}

// trainTest is one published series, split as published.
type trainTest struct {
	id          string
	train, test []float64
}

// readSeries reads series in the order of their first value.
func readSeries(name string) ([]trainTest, error) {
	var all []trainTest
	at := make(map[string]int)
	err := eachRow(name, []string{"series_id", "set", "value"}, func(r row) error {
		id := r["series_id"]
		i, known := at[id]
		if !known {
			i = len(all)
			at[id] = i
			all = append(all, trainTest{id: id})
		}
		v, err := r.number("value")
		if err != nil {
			return err
		}
		switch r["set"] {
		case "train":
			all[i].train = append(all[i].train, v)
		case "test":
			all[i].test = append(all[i].test, v)
		default:
			return fmt.Errorf("column set: %q is neither train nor test", r["set"])
		}
		return nil
	})
	return all, err
}
