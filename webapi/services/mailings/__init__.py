"""Mailings: one template for every row of a file, checked first, sent in parts, watched to the last receipt."""
