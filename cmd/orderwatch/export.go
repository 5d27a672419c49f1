package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alexandrite/orderwatch/config"
	"github.com/alexandrite/orderwatch/exporters"
	"github.com/alexandrite/orderwatch/exporters/postgres"
	"github.com/alexandrite/orderwatch/exporters/rabbitmq"
	"github.com/alexandrite/orderwatch/telemetry"
)
