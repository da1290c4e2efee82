"""Stray light M of y = f x + M, from y alone: by a network, and by what is dark."""
