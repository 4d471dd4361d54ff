"""Step `collect_window`: takes a snapshot of a window of live traffic."""
