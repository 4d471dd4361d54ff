"""Step `send_alert`: sends a drift to Alertmanager."""
