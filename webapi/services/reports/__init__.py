"""Reports: what to ask of which source, its rows streamed into a file, and a manifest that proves what is in it."""
