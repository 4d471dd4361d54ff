"""Functions over the shards of a corpus, run in this process or by a Beam runner with the same result (contract 12)."""
