"""The `robo-poet` command line: one module per command group. Slow imports are inside the commands that need them."""

INTERRUPTED = 130  # exit status after Ctrl-C, as a shell reports SIGINT: 128 + 2
