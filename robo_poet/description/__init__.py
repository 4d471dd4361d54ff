"""The description of a corpus: what a source holds, what its splits would be, and what a user should know before a training."""
