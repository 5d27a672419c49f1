// Package web owns what people and programs read: the pages, in English and Russian, and the JSON
// API. It reads through the Reader it declares and writes nothing.
//
// It guarantees that every page works without JavaScript and loads nothing from elsewhere, that
// everything an order or a partner supplied is escaped, and that a wrong query value is answered
// with the name of the field. A Server is immutable and safe for concurrent use.
package web
