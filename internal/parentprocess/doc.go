// Package parentprocess notices when the parent process, which started this one, has
// ended. It works on every platform that the provider is built for.
package parentprocess
