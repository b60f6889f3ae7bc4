// Package config finds out how the server is to run.
//
// [Load] asks, for every setting, the places of [Sources] in this order and takes the first answer:
//
//	command-line flag
//	environment variable
//	the YAML file of --config, whose keys are those of Laravel's config/reverb.php
//	bootstrap/cache/config.php, if Laravel has cached its configuration
//	.env.{APP_ENV} or .env
//	the default of Laravel's stock config/reverb.php
//
// The answer is converted as PHP would, and kept with its source as a [Setting]. An empty or null answer
// means the default: it does not let a later place speak, just as an empty environment variable
// hides the one in .env from Laravel.
//
// While a cached configuration exists, .env is asked for REVERB_GO_ names only, as Laravel would not
// read it at all.
//
// # Apps
//
// The list of apps is taken whole from the first of YAML file and cached configuration that has one;
// without one there is the single app of the REVERB_APP_ variables. Those variables in the real
// environment also override the keys of a listed app: of the only one, or of the one whose app_id is
// REVERB_APP_ID. A listed app without a key gets what Reverb's code falls back to, which for
// accept_client_events_from is "all" and not the stock file's "members".
//
// # Not here
//
// Nothing is bound, no certificate is read and nothing is printed; faults are a [*Problem].
package config
