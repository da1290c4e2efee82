"""Degradations that lose pixels, channels or both."""
