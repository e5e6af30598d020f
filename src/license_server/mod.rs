//! Receives telemetry and reports, applies the gate, issues keys.
