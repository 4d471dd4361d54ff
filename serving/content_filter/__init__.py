"""What may be asked and said: rules, a word list, a classifier, restricted texts, an adapter to a service (SERVE-4)."""
