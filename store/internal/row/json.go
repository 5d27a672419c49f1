package row

import (
	"database/sql"
	"encoding/json"
	"fmt"
)

// asJSON returns the value's JSON as text. The values are plain data, which always encodes.
func asJSON(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("row: plain data does not encode: %v", err))
	}
	return string(b)
}

func fromJSON(text sql.NullString, v any) error {
	if !text.Valid {
		return nil
	}
	return json.Unmarshal([]byte(text.String), v)
}
