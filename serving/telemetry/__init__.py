"""Telemetry of serving: Prometheus metrics, audit log and operational log."""
