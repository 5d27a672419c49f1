package postgres

import "context"

// WriterSetting returns a server setting of the connection that writes.
func (s *Store) WriterSetting(ctx context.Context, name string) (value string, err error) {
	err = s.writer.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	return value, err
}
