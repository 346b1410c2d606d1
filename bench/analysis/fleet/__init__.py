"""Fleet analysis: how far devices of one model differ, which stand out, and what was not measured."""
