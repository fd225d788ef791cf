"""In the child: what went wrong, as a sentence that names tables and no path of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from .sources import Limits, Refusal

LONGEST = 400  # characters
CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
CSV_END = re.compile(r"\n\s*\n|\nPossible|\n\s*file =|\nColumn .* is being converted")
TITLE = re.compile(r"^[A-Z][\w -]* (?:Error|exception): ", re.IGNORECASE)


def sentence(error: Exception, names: Mapping[str, str], limits: Limits) -> str:
    """For whoever wrote the statement. `names` are the tables' by the paths that errors may hold."""
    text = str(error)
    if ("max_temp_directory_size" in text or "File too large" in text) and limits.temp_bytes:
        return f"The query needs more than the {limits.temp_bytes >> 20:,} MB of memory on disk that it may use."
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException) or "bad allocation" in text:
        return f"The query needs more than the {limits.memory_bytes >> 20:,} MB of memory that it may use."
    if "disabled by configuration" in text:
        return "A statement reads the files of its own tables and nothing else."
    if "configuration has been locked" in text:
        return "A statement cannot change settings."
    if isinstance(error, Refusal):
        return text
    return f"The query failed: {reason(error, names)}"


def reason(error: Exception, names: Mapping[str, str]) -> str:
    """What DuckDB says, in its first line and without its kind of error; of a row in CSV, where and why."""
    text = str(error).strip()
    if found := CSV_LINE.search(text):
        said = [line.strip() for line in CSV_END.split(text[found.end() :])[0].splitlines() if line.strip()]
        text = f"line {found[1]}: {'; '.join(said)}"
    elif "when sniffing file" in text:
        text = "no delimiter, quote and number of columns fit all its rows"
    text = TITLE.sub("", TITLE.sub("", text.partition("\n")[0]))
    for path in sorted(names, key=len, reverse=True):
        text = text.replace(path, names[path])
    text = text[: LONGEST - 1].rstrip(" .!")
    return f"{text}."
