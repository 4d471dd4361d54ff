"""HTTP below the API: connections, bodies, admission, refusals. A request passes here first."""
