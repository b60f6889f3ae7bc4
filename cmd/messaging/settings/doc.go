// Package settings reads how the messaging app is to run: from the environment and a .env file, by the names that
// Laravel gives these things.
//
// [Load] returns [Settings] or a [config.Problem] that says what to write where. Nothing is
// connected to or opened here.
package settings
