"""Tables that people hand in: CSV in its dialects, and workbooks, row by row within limits."""
