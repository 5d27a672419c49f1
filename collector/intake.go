package collector

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// maxReasons bounds the reasons that an answer lists.
const maxReasons = 5

// intake is what both protocols do with a request.
type intake struct {
	committer *Committer
	slots     chan struct{} // one for each request in flight
}

// enter takes a slot; the caller leaves it. It reports false where none is free.
func (in *intake) enter() bool {
	select {
	case in.slots <- struct{}{}:
		return true
	default:
		in.committer.metrics.refused.Inc()
		return false
	}
}

func (in *intake) leave() { <-in.slots }

// export commits a request and returns its answer. An error means: send the same again later.
func (in *intake) export(ctx context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	resp := plogotlp.NewExportResponse()
	outcomes, err := in.committer.commit(ctx, decode(req.Logs()))
	if err == nil {
		err = answer(resp, outcomes)
	}
	if errors.Is(err, ErrUnavailable) {
		in.committer.metrics.refused.Inc()
	}
	return resp, err
}

// answer writes the partial success. Where anything is deferred the whole request has to come
// again: what is durable already will be recognised.
func answer(resp plogotlp.ExportResponse, outcomes []Outcome) error {
	var reasons []string
	refused := 0
	for i := range outcomes {
		switch o := &outcomes[i]; o.Result {
		case Deferred:
			return fmt.Errorf("%w: too much is out of order", ErrUnavailable)
		case Rejected:
			refused++
			if len(reasons) < maxReasons {
				reasons = append(reasons, fmt.Sprintf("record %d: %s", i, strings.ToValidUTF8(o.Err.Error(), "?")))
			}
		}
	}
	if refused == 0 {
		return nil
	}
	if refused > len(reasons) {
		reasons = append(reasons, fmt.Sprintf("and %d more", refused-len(reasons)))
	}
	resp.PartialSuccess().SetRejectedLogRecords(int64(refused))
	resp.PartialSuccess().SetErrorMessage(strings.Join(reasons, "; "))
	return nil
}
