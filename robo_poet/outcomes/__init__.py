"""Outcomes: what happened to each request after its arm was assigned, without texts (DESIGN, contract 13)."""
