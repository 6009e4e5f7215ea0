// Package pages holds every page of the project to what it says: its tests run the
// examples, follow the links and check the statements that a machine can check. It has no
// other code.
package pages
