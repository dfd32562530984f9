//! The life of a server: start, connections, reload, stop.
