"""The canary controller: it reads outcomes and the registry's log, asks the judge, and records the moves."""
