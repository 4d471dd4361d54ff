"""Generation of completions: job, samples, content filter and log records."""
