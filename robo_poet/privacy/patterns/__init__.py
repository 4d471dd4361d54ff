"""Personal data with a fixed format: addresses, numbers and keys, found by patterns."""
