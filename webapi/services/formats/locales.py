"""Numbers, dates and sentences in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from webapi.services.formats.cells import visible
from webapi.services.formats.table import Column, plain

SENTENCES = {
    "en": {
        "yes": "yes",
        "no": "no",
        "as_of": "As of",
        "rows": "Rows",
        "manifest": "Manifest",
        "total": "Total of",
        "unsummed": "NaN and ∞ in",
        "complete": "Complete",
        "incomplete": "Not complete",
        "page": "{page} of {pages}",
        "other": "Other",
        "no_rows": "There are no rows.",
        "sampled": "One row in {stride} is drawn, of {rows}.",
        "largest": "The largest of {rows} rows are drawn; the others together are “Other”.",
        "nothing": "No chart: there is nothing to draw.",
        "negative": "No chart: a pie cannot show negative values.",
        "truncated": "Only the first {most} rows are here, because a PDF holds no more.",
        "cut": "Texts cut at {most} characters, because a page holds no more: {count}.",
    },
    "de": {
        "yes": "ja",
        "no": "nein",
        "as_of": "Stand",
        "rows": "Zeilen",
        "manifest": "Nachweis",
        "total": "Summe von",
        "unsummed": "NaN und ∞ in",
        "complete": "Vollständig",
        "incomplete": "Nicht vollständig",
        "page": "{page} von {pages}",
        "other": "Übrige",
        "no_rows": "Es gibt keine Zeilen.",
        "sampled": "Gezeichnet ist eine von je {stride} Zeilen, von {rows}.",
        "largest": "Gezeichnet sind die größten von {rows} Zeilen; alle anderen zusammen sind „Übrige“.",
        "nothing": "Kein Diagramm: Es gibt nichts zu zeichnen.",
        "negative": "Kein Diagramm: Ein Kreis kann keine negativen Werte zeigen.",
        "truncated": "Hier stehen nur die ersten {most} Zeilen, weil ein PDF nicht mehr aufnimmt.",
        "cut": "Texte, die nach {most} Zeichen abgeschnitten sind, weil eine Seite nicht mehr aufnimmt: {count}.",
    },
    "fr": {
        "yes": "oui",
        "no": "non",
        "as_of": "État au",
        "rows": "Lignes",
        "manifest": "Justificatif",
        "total": "Total de",
        "unsummed": "NaN et ∞ dans",
        "complete": "Complet",
        "incomplete": "Incomplet",
        "page": "{page} sur {pages}",
        "other": "Autres",
        "no_rows": "Il n’y a aucune ligne.",
        "sampled": "Une ligne sur {stride} est tracée, parmi {rows}.",
        "largest": "Les plus grandes de {rows} lignes sont tracées ; toutes les autres forment « Autres ».",
        "nothing": "Pas de graphique : il n’y a rien à tracer.",
        "negative": "Pas de graphique : un camembert ne peut pas montrer de valeurs négatives.",
        "truncated": "Seules les {most} premières lignes figurent ici, car un PDF n’en contient pas plus.",
        "cut": "Textes coupés à {most} caractères, car une page n’en contient pas plus : {count}.",
    },
}


class Language:
    """How one locale writes. A locale that Babel does not know is "en"; so are the sentences of one without any."""

    def __init__(self, name: str) -> None:
        from babel import Locale, UnknownLocaleError

        try:
            self._locale = Locale.parse(name.replace("-", "_"))
        except (ValueError, TypeError, UnknownLocaleError):
            self._locale = Locale("en")
        self.tag = str(self._locale).replace("_", "-")
        self.language = self._locale.language
        self._sentences = SENTENCES.get(self.language, SENTENCES["en"])
        self._separators = self._plain_separators()
        self.date: Callable[[date], str] = lru_cache(4096)(self._date)

    def say(self, sentence: str, **values: int) -> str:
        return self._sentences[sentence].format(**{key: self.number(value) for key, value in values.items()})

    @property
    def page(self) -> str:
        """ "{page} of {pages}", to be filled in where the pages are known."""
        return self._sentences["page"]

    def number(self, value: int | float | Decimal) -> str:
        """Every digit of an integer or a Decimal, six decimals of a float, grouped as the locale groups.

        Very large and very small floats, and Decimals of more than 40 digits, have an exponent.
        """
        if type(value) is float:
            if not math.isfinite(value):
                return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
            if value and not 1e-4 <= abs(value) < 1e15:
                return f"{value:.6g}"
            value = Decimal(f"{value:.6f}".rstrip("0").rstrip("."))
        elif type(value) is Decimal and not -40 < value.adjusted() < 40:
            return str(value)
        text = f"{value:,f}" if type(value) is Decimal else f"{value:,d}"
        return self._grouped(text) if self._separators is None else text.translate(self._separators)

    def moment(self, value: datetime) -> str:
        """To the second, by a clock of 24 hours; in UTC, and said so, if the moment has a zone."""
        return f"{self.date(plain(value).date())} {plain(value):%H:%M:%S}{' UTC' if value.tzinfo else ''}"

    def text(self, value: Any, missing: str = "") -> str:
        """Any value of a row as its reader sees it."""
        if value is None:
            return missing
        if isinstance(value, bool):
            return self._sentences["yes" if value else "no"]
        if isinstance(value, int | float | Decimal):
            return self.number(value)
        if isinstance(value, datetime):
            return self.moment(value)
        return self.date(value) if isinstance(value, date) else visible(str(value))

    def texts(self, column: Column, values: list[Any]) -> list[str]:
        if column.type == "text":
            return ["" if value is None else visible(value) for value in values]
        return [self.text(value) for value in values]

    def _date(self, value: date) -> str:
        from babel.dates import format_date

        return format_date(value, "medium", locale=self._locale)

    def _grouped(self, text: str) -> str:
        """The number where the locale does not group by three, or not before 10,000."""
        from babel.numbers import format_decimal, get_decimal_symbol

        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        whole, point, fraction = digits.replace(",", "").partition(".")
        symbol = get_decimal_symbol(self._locale) if point else ""
        return sign + format_decimal(int(whole), locale=self._locale) + symbol + fraction

    def _plain_separators(self) -> dict[int, str] | None:
        """What stands for a comma and a point in 1,000.5; None where that is not all there is to do."""
        from babel.numbers import format_decimal

        written = format_decimal(Decimal("-1234567.5"), locale=self._locale)
        small = format_decimal(1234, locale=self._locale)
        if not (written[3:6] + written[7:10] == "234567" and small[2:] == "234" and len(written) == 12):
            return None
        return {ord(","): written[2], ord("."): written[-2]}
