//! Load, decide, act, record.
