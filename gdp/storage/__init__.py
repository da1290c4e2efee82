"""Files that are written whole, and what survives a kill."""
