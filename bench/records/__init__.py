"""Records: the row of a case, its warnings, machine states, roofs and kernel traces. Pure."""
