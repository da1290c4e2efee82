"""Noise that is not white, and what becomes of a degradation once its noise has been whitened."""
