"""The content filter: rules, a word list, restricted texts, a toxicity classifier and a client for a moderation service (SERVE-4)."""
