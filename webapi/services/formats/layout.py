"""How wide a table's columns are on paper, and how large its type: every column is there and none is clipped.

Letters are measured in ems as the font has them, rounded up, and one that is not known here as a full em.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 36.0  # points; so is everything here that is not in ems
INSET = 3.0  # on either side of a cell
PORTRAIT = (595.28, 841.89)  # A4
SIZES = (9.0, 8.0, 7.0, 6.0, 5.0)
NARROWEST = 3.5  # ems, where even the smallest type on A4 leaves less the page grows
LONGEST_WORD = 14.0  # ems that a column gets for a word; a longer one is broken
NATURAL = 40.0  # ems beyond which a text wraps anyway
WORD = re.compile(r"\S+")
BOLD = 1.12  # times as wide
BREAK = "\u200b"
# Ems of Libertinus Serif with figures of one width, rounded up to a twentieth; the tests measure them again.
BY_WIDTH = {
    0.15: "\u202f",
    0.2: "'|",
    0.25: " ,.:;¦··\xa0",
    0.3: "!()I\\fijl{}¡ª°²³¹ÌÍÎÏìíîïĨĩĪīĬĭĮįİıĵĺļľŀłſΐΙΪίιϊІЇіїј‘’‚",
    0.35: '"-/J[]t´ºĴţŧț‐•',
    0.4: "*`rs¨¯ŕŗřśŝşšťΊέεЈѕș“”„‹›",
    0.45: "?acez~¿àáâãäåçèéêëāăąćĉċčēĕėęěźżžζξςτагезстэѐёѓє",
    0.5: "#$0123456789FS_bdgoqvx¢£¤¥§ðòóôõöøþđĝğġģōŏőŚŜŞŠΓΰγδθκμνουχϋόύЃЅГбвкохьяќȘ€₹",
    0.55: "+<=>ELPY^hknpuy«±µ¸»ÈÉÊË×ÝÞßñ÷ùúûüýÿďĒĔĖĘĚĥħĳķĸĹĻĽĿŁńņňŉŋũūŭůűųŶŷŸΕΡήβηλρЀЁЕЗРЬдлручђћў–−≈≠≤≥",
    0.6: "BRTVZ¬¶ĲŔŖŘŢŤŦŹŻŽΒΖΣΤΥΫάαπσφЌЎБВКТУЯийнпцъѝџȚ†",
    0.65: "%CKX¼½¾ÇĆĈĊČĶΈΔΚΛΞΦΧψωώЄДЛСХЧЭф₽",
    0.7: "&AGNU©®ÀÁÂÃÄÅÐÑÙÚÛÜæĀĂĄĜĞĠĢŃŅŇŊŨŪŬŮŰŲΆΎΑΘΝΟΠΨΩЍЏАИЙОПФЦжмљ",
    0.75: "DHOQwÒÓÔÕÖØĎĐĤĦŌŎŐŵΌΏΗЂЋНЪыюњẞ—…",
    0.8: "mœΉЫ™",
    0.85: "MΜМшщ",
    0.9: "@WÆŒŴЉЖЮ",
    0.95: "Њ‰",
    1.0: "ШЩ",
}


class Widths(dict[str, float]):
    def __missing__(self, letter: str) -> float:
        return 0.65 if "\u0590" <= letter < "\u0900" else 1.0  # Hebrew and Arabic are narrow


WIDTHS = Widths({letter: width for width, letters in BY_WIDTH.items() for letter in letters} | {BREAK: 0.0, "\n": 0.0})


@dataclass(frozen=True)
class Layout:
    width: float
    height: float
    size: float
    columns: list[float]


def lay_out(names: Sequence[str], columns: Sequence[Sequence[str]], whole: Sequence[bool]) -> Layout:
    """The largest type at which each column has room for its words: upright A4, then landscape, then smaller.

    The texts of a column that is `whole`, such as dates, stay on one line if that does not take small type.
    With so many columns that not even 5 points do, the page is wider than A4.
    """
    words = [
        min(LONGEST_WORD, max(BOLD * _widest_word([name]), _widest_word(texts)))
        for name, texts in zip(names, columns, strict=True)
    ]
    texts = [min(NATURAL, _widest(name, each)) for name, each in zip(names, columns, strict=True)]
    natural = [max(pair) for pair in zip(words, texts, strict=True)]
    lines = [
        max(map(measured, set(each)), default=0.0) if one else 0.0 for each, one in zip(columns, whole, strict=True)
    ]
    kept = [max(word, min(NATURAL, line)) for word, line in zip(words, lines, strict=True)]
    natural = [max(pair) for pair in zip(kept, natural, strict=True)]
    landscape = PORTRAIT[::-1]
    tried = [(kept, PORTRAIT, size) for size in SIZES[:2]] + [(kept, landscape, size) for size in SIZES[:3]]
    tried += [(words, landscape, size) for size in SIZES]
    for least, (width, height), size in tried:
        if _ems(width, size, len(words)) >= sum(least):
            return Layout(width, height, size, _shared(least, natural, width, size))
    size = SIZES[-1]
    narrow = [min(word, NARROWEST) for word in words]
    needed = sum(narrow) * size + 2 * INSET * len(words) + 2 * MARGIN
    width = max(landscape[0], needed)
    return Layout(width, landscape[1], size, _shared(narrow, words, width, size))


def _ems(width: float, size: float, columns: int) -> float:
    return (width - 2 * MARGIN - 2 * INSET * columns) / size


def _shared(least: list[float], wanted: list[float], width: float, size: float) -> list[float]:
    """What each column needs, and of what is left as much as it wants."""
    left = _ems(width, size, len(least)) - sum(least)
    more = [want - need for want, need in zip(wanted, least, strict=True)]
    part = min(1.0, left / sum(more)) if sum(more) else 0.0
    return [(need + part * extra) * size + 2 * INSET for need, extra in zip(least, more, strict=True)]


def broken(text: str, ems: float) -> str:
    """The text, with a place to break after each letter of a word that is wider than the column."""
    if len(text) <= ems or measured(text) <= ems:
        return text
    return WORD.sub(lambda word: BREAK.join(word[0]) if measured(word[0]) > ems else word[0], text)


def measured(text: str) -> float:
    """Ems on one line."""
    return sum(map(WIDTHS.__getitem__, text))


def on_one_line(text: str, ems: float) -> bool:
    """Whether it is certain that the text has no second line and needs no other font."""
    return WIDTHS.keys() >= set(text) and "\n" not in text and measured(text) <= ems


def _widest_word(texts: Sequence[str]) -> float:
    words = {word for text in texts for word in WORD.findall(text)}
    return max(map(measured, words), default=1.0)


def _widest(name: str, texts: Sequence[str]) -> float:
    lengths = sorted(map(len, texts))
    return max(BOLD * measured(name), 0.5 * lengths[len(lengths) * 9 // 10]) if lengths else BOLD * measured(name)
