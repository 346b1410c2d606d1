"""Claims of six course texts about time and memory, each judged from measured rows."""
