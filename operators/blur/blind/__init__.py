"""Blurs that nobody knows: a kernel is searched for, or fitted together with the picture."""
