"""What every step shares: its declaration, and the command-line program made from it."""
