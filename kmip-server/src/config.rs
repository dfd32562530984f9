//! The server's configuration: a TOML file and the command line's flags.
