"""Degradations of size: fewer pixels, or a part of the picture."""
