"""Watches live traffic: windows of the request log, drift of the perplexity. It imports nothing from serving."""
