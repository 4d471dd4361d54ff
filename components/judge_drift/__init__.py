"""Step `judge_drift`: judges whether a window of live traffic is a drift."""
