"""Runs on a Kubeflow cluster: connection, checks, submission, progress and schedules (PIPE-1)."""
