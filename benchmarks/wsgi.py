"""What production names, with the kinds of the benchmarks beside its own; `stage` puts it where the servers look for
`wsgi`, and `celery -A benchmarks.wsgi:celery` works them.
"""

import runpy
from pathlib import Path

from benchmarks import catalogue

catalogue.add()
whole = runpy.run_path(str(Path(__file__).resolve().parent.parent / "wsgi.py"))  # with what it does for its memory
app, celery = whole["app"], whole["celery"]
