"""Benchmarks beside a peer, in one run: `make bench BENCH=train|learn|decode|edge`. They are measured, never asserted."""
