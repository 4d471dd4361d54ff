"""The `robo-poet` command line: one module per command group. Slow imports stand inside the commands that need them."""
