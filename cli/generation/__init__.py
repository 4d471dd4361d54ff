"""Text generation in the terminal: the commands generate and chat."""
