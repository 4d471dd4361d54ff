"""Encrypted and signed backups of a registry folder (REG-4)."""
