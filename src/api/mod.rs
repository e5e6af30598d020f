//! `/api/v1`: the agent over HTTP.
