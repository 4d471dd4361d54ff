"""The endpoints of the API, and its description."""
