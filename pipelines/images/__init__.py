"""Images of steps and servers: their content and their build (INFRA-2)."""
