"""The suggested profile of a corpus: its settings with reasons, the time that a run takes, and the file that holds it."""
