"""What is seen of serving: metrics, audit log, operational log."""
