"""The judge of a canary: from what is observed of each user to a verdict (contract 13)."""
