"""Who may use the gateway, and how often (SERVE-3)."""
