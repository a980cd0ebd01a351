// Package config turns flags, environment variables and the settings file into one checked Config.
//
// It owns the table of settings (settings.go): every key, its default, its meaning and its parser stand there once, and
// flags, variables, file keys and docs/configuration.md are made from it. It reads nothing by itself but the files it is
// pointed at: arguments and environment are handed in, and it does not know what the settings are used for.
package config
