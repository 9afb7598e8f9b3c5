"""Adapters: each puts one library behind a seam."""
