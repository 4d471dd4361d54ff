"""One page that a person reads before trusting a model."""
