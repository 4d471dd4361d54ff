"""Client connections: how many there are, how long each may stay in a state, and which requests are valid HTTP (SERVE-3)."""
