"""Workbooks made by hand, for what no program writes."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SHEET, STRINGS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
HEAD = '<row r="1"><c t="inlineStr"><is><t>email</t></is></c></row>'
ROW = '<row r="2"><c t="inlineStr"><is><t>a@x.de</t></is></c></row>'


def sheet(rows: str, before: str = "") -> str:
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def strings(items: str) -> str:
    return f'<sst xmlns="{MAIN}">{items}</sst>'


def parts(**changes: str) -> dict[str, str]:
    """The parts of a workbook of one sheet; `sheet`, `strings` and `styles` can be given."""
    return {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/{SHEET}" ContentType="{CONTENT}.worksheet+xml"/>'
        f'<Override PartName="/{STRINGS}" ContentType="{CONTENT}.sharedStrings+xml"/></Types>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="March" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        SHEET: changes.get("sheet", sheet(HEAD + ROW)),
        STRINGS: changes.get("strings", strings("")),
        **({STYLES: changes["styles"]} if "styles" in changes else {}),
    }


def pack(path: Path, content: dict[str, str], method: int = ZIP_DEFLATED) -> Path:
    with ZipFile(path, "w", method) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return path
