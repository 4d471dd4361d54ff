"""`robo-poet replay` (MON-4): release, canary, roll-back, drift, alert and retraining on one machine, in minutes.

`command` starts it, `story` has the acts, `programs` starts the programs, `view` shows them, and `record` and `page` keep what happened.
"""
