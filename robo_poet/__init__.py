"""The ground floor: what two rooms or more of the house share. Imports nothing of the floors above it."""
