package exportertest

import (
	"compress/gzip"
	"io"
	"net/http"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// ServeHTTP takes an OTLP/HTTP protobuf request for a receiver.
func ServeHTTP(r *Receiver, w http.ResponseWriter, call *http.Request) {
	body := io.Reader(call.Body)
	if call.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(call.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	data, err := io.ReadAll(body)
	request := plogotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalProto(data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	response, err := r.Export(call.Context(), request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer, err := response.MarshalProto()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}
