"""Releases under traffic that never stops: what the versions are, who asks, and what must hold of the answers."""
