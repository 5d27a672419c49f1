// Package testbed is the simulated company that orderwatch is tested on: shop, CRM and MES as
// separate processes over HTTP, two real PostgreSQL servers, a real RabbitMQ between MES and CRM,
// customers, sellers, a calculator and operators, and labelled faults.
//
// The applications know nothing of orderwatch. What a database's administrator prepares for it is
// in prepare_shop.sql and prepare_mes.sql, and nothing else is.
//
// Clocks are real. For speed all durations are divided by one factor, in the company and, by
// CompressFlow, in the flow file it is judged by. What the applications did to each order is
// written down (package truth) for comparison.
//
// A Company's methods are safe for concurrent use.
package testbed
