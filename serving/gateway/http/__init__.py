"""The HTTP layer: connections, request bodies, admission and error responses. A request passes through it before the endpoints."""
