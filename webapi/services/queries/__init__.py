"""People's SELECT statements over the files that they handed in, run in a locked process of their own."""
