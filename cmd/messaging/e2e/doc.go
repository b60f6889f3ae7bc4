// Package e2e has tests of the whole messaging app: the page in real browsers, the app and the websocket server as
// processes of their own, and real databases. They are written in JavaScript, because the page is, and run by Go's
// tests, which start what they need.
package e2e
