"""The machine: its hardware, how it is set up, and what is going on at it now. Changes nothing."""
