"""The generation of an answer: job, samples, content filter, records."""
