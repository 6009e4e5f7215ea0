// Package parentprocess tells a process that the one that started it has ended,
// on every platform that the provider is built for.
package parentprocess
