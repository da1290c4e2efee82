"""A prior that learns from one photo before it restores it, and forgets it afterwards."""
