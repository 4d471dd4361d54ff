"""HTTP layer below the endpoints: connections, request bodies, admission and error responses. A request passes through it first."""
