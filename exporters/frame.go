package exporters

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// frame is what one Append made durable: numbered events and the resume point they belong to.
type frame struct {
	epoch    int64
	first    uint64 // sequence of the first event; the next free one where count is 0
	count    uint32
	from, to int64  // smallest and largest Event.Time, Unix nanoseconds; 0 where count is 0
	observed int64  // smallest Event.Observed, Unix nanoseconds
	position []byte // the source's resume point
	records  []byte // the events as OTLP logs protobuf without resource
}

// last returns the sequence after which the next frame goes on.
func (f *frame) last() uint64 { return f.first + uint64(f.count) - 1 }

// On disk a frame is magic, length and CRC32C of the payload, payload. The magic lets a scan tell
// a torn tail (nothing valid follows) from damage in the middle (something does).
const (
	frameMagic   = "OWF1"
	frameHeader  = 12
	payloadFixed = 8 + 8 + 4 + 8 + 8 + 8 + 4
	maxFrame     = 256 << 20
)

var (
	errTornFrame = errors.New("frame ends early")
	errBadFrame  = errors.New("frame is damaged")
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
)

func (f *frame) size() int {
	return frameHeader + payloadFixed + len(f.position) + len(f.records)
}

func (f *frame) append(buf []byte) []byte {
	le := binary.LittleEndian
	start := len(buf)
	buf = append(buf, frameMagic...)
	buf = le.AppendUint32(buf, uint32(f.size()-frameHeader))
	buf = le.AppendUint32(buf, 0)
	buf = le.AppendUint64(buf, uint64(f.epoch))
	buf = le.AppendUint64(buf, f.first)
	buf = le.AppendUint32(buf, f.count)
	buf = le.AppendUint64(buf, uint64(f.from))
	buf = le.AppendUint64(buf, uint64(f.to))
	buf = le.AppendUint64(buf, uint64(f.observed))
	buf = le.AppendUint32(buf, uint32(len(f.position)))
	buf = append(buf, f.position...)
	buf = append(buf, f.records...)
	le.PutUint32(buf[start+8:], crc32.Checksum(buf[start+frameHeader:], castagnoli))
	return buf
}

// parseFrame decodes the frame at the start of buf and returns its length on disk. The frame
// aliases buf. Its error is errTornFrame where buf may only be too short.
func parseFrame(buf []byte) (frame, int, error) {
	if len(buf) < frameHeader {
		return frame{}, 0, errTornFrame
	}
	le := binary.LittleEndian
	size := le.Uint32(buf[4:])
	if string(buf[:4]) != frameMagic || size < payloadFixed || size > maxFrame {
		return frame{}, 0, errBadFrame
	}
	if uint64(len(buf)) < frameHeader+uint64(size) {
		return frame{}, 0, errTornFrame
	}
	body := buf[frameHeader : frameHeader+size]
	if crc32.Checksum(body, castagnoli) != le.Uint32(buf[8:]) {
		return frame{}, 0, errBadFrame
	}
	f := frame{
		epoch:    int64(le.Uint64(body)),
		first:    le.Uint64(body[8:]),
		count:    le.Uint32(body[16:]),
		from:     int64(le.Uint64(body[20:])),
		to:       int64(le.Uint64(body[28:])),
		observed: int64(le.Uint64(body[36:])),
	}
	positionSize := le.Uint32(body[44:])
	rest := body[payloadFixed:]
	if uint64(positionSize) > uint64(len(rest)) || f.first == 0 {
		return frame{}, 0, fmt.Errorf("%w: impossible lengths", errBadFrame)
	}
	if positionSize > 0 {
		f.position = rest[:positionSize:positionSize]
	}
	f.records = rest[positionSize:]
	return f, frameHeader + int(size), nil
}
