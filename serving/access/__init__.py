"""Authentication, authorization and rate limits of the gateway (SERVE-3)."""
