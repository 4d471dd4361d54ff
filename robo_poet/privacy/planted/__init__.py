"""Synthetic identities that are planted into copies of documents, to measure how much personal data scrubbing finds (DATA-3)."""
