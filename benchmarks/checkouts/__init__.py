"""Other projects' own scripts, run unchanged from a user's checkout on our weights (peers.py)."""
