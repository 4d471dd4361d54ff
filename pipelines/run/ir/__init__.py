"""The compiled pipeline (KFP v2 IR), read into a flat graph of steps."""
