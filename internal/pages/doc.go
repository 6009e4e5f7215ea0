// Package pages has the tests of the project's Markdown pages. They run the examples,
// follow the links, and check the statements that a machine can check. The package has no
// other code.
package pages
