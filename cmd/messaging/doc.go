// Command messaging is a messaging app that shows the whole of what a Laravel app does with its websocket server:
// HTTP endpoints, channels and their authorisation, events by way of queues, a dashboard for these, and a page with
// Laravel Echo.
//
// This package reads the command line and joins the parts; what they do is in the packages below it, all of which
// depend on package domain and hardly on each other:
//
//	settings   the environment, by Laravel's names
//	store      the database
//	ephemeral  what is true for seconds, in Redis
//	realtime   the websocket server, and who may listen to what
//	jobs       the queues
//	http       the API, the dashboard, the page's files
//	api        the JSON of all that
//	web        the page
//	demo       people who have talked to each other
package main
