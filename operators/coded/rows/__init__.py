"""Degradations in a row of which not all are linear: what undoes them, as far as it can be."""
