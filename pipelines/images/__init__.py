"""Images of steps and servers: what is in them, how they are built (INFRA-2)."""
