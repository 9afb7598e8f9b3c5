"""How a Word file looks: styles that its reader can change, page numbers, properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.documents.word_lists import DEEPEST, STEP
from harness.documents.word_xml import child, element, in_order, name

if TYPE_CHECKING:
    from docx.document import Document
    from docx.styles.style import ParagraphStyle

__all__ = ["dressed", "list_style", "page_numbers", "table_text"]

_FONT = "Calibri"
_EAST_ASIAN = "Microsoft YaHei"  # Word takes what there is for a script that it lacks
_COMPLEX = "Arial"
_ACCENT = "1D4E79"
_GREY = "B8C2CC"
_SIZES = (17, 13.5, 11.5, 10.5, 10.5, 10.5)
"""Points of the headings."""
_TABLE_SIZES = {1: 9.5, 6: 8.5, 9: 7.5, 12: 6.5}
"""Points of a table's text, by the number of columns from which they count."""


def list_style(depth: int) -> str:
    """Return the name of the style of a list's paragraph."""
    return f"Harness List {min(depth, DEEPEST)}"


def table_text(columns: int) -> str:
    """Return the name of the style of the text in a table of so many columns."""
    least = max(one for one in _TABLE_SIZES if one <= columns or one == 1)
    return f"Table Text {least}" if least > 1 else "Table Text"


def dressed(document: Document, *, title: str, author: str, language: str) -> None:
    """Give a new document its styles and properties."""
    properties = document.core_properties
    properties.title, properties.author, properties.language = title[:255], author[:255], language
    properties.comments = ""
    _page(document)
    _base(document, language)
    _headings(document)
    for depth in range(1, DEEPEST + 1):
        _list(document, depth)
    _code(document)
    _quote(document)
    _link(document)
    _table(document)


def _page(document: Document) -> None:
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(24)
    section.top_margin = section.bottom_margin = Mm(24)


def _base(document: Document, language: str) -> None:
    from docx.shared import Pt

    normal: Any = document.styles["Normal"]
    _font(normal, _FONT)
    normal.font.size = Pt(10.5)
    normal.paragraph_format.space_after = Pt(6)
    normal.paragraph_format.line_spacing = 1.12
    in_order(normal.element.get_or_add_rPr(), "w:lang", **{"w:val": language or "en"})


def _font(style: Any, family: str) -> None:
    """Set the font of Latin, East Asian and right-to-left text."""
    style.font.name = family
    fonts = style.element.get_or_add_rPr().find(name("w:rFonts"))
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(name(f"w:{theme}"), None)
    fonts.set(name("w:eastAsia"), _EAST_ASIAN)
    fonts.set(name("w:cs"), _COMPLEX)


def _headings(document: Document) -> None:
    from docx.shared import Pt, RGBColor

    for level, size in enumerate(_SIZES, 1):
        style: Any = document.styles[f"Heading {level}"]
        _font(style, _FONT)
        style.font.size = Pt(size)
        style.font.bold = True
        style.font.italic = level == len(_SIZES)
        style.font.color.rgb = RGBColor.from_string(_ACCENT)
        style.paragraph_format.space_before = Pt(14)
        style.paragraph_format.space_after = Pt(5)
        style.paragraph_format.keep_with_next = True


def _new(document: Document, title: str) -> ParagraphStyle:
    from docx.enum.style import WD_STYLE_TYPE

    style: Any = document.styles.add_style(title, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    style.quick_style = True
    made: ParagraphStyle = style
    return made


def _list(document: Document, depth: int) -> None:
    from docx.shared import Pt, Twips

    form = _new(document, list_style(depth)).paragraph_format
    form.left_indent = Twips(STEP * depth)
    form.space_after = Pt(3)


def _code(document: Document) -> None:
    from docx.shared import Pt

    style: Any = _new(document, "Code")
    _font(style, "Consolas")
    style.font.size = Pt(9)
    style.paragraph_format.space_after = Pt(0)
    shade = {"w:val": "clear", "w:color": "auto", "w:fill": "F2F4F7"}
    in_order(style.element.get_or_add_pPr(), "w:shd", **shade)


def _quote(document: Document) -> None:
    from docx.shared import Pt

    style: Any = document.styles["Quote"]
    style.paragraph_format.left_indent = Pt(12)
    borders = in_order(style.element.get_or_add_pPr(), "w:pBdr")
    line = {"w:val": "single", "w:sz": "12", "w:space": "6", "w:color": _GREY}
    child(borders, "w:left", **line)


def _link(document: Document) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import RGBColor

    style: Any = document.styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER)
    style.font.color.rgb = RGBColor.from_string(_ACCENT)
    style.font.underline = True


def _table(document: Document) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    for columns, size in _TABLE_SIZES.items():
        text: Any = _new(document, table_text(columns))
        text.font.size = Pt(size)
        text.paragraph_format.space_after = Pt(0)
    gap: Any = _new(document, "Table Gap")
    gap.font.size = Pt(4)
    gap.paragraph_format.space_after = Pt(4)
    style: Any = document.styles.add_style("Harness Table", WD_STYLE_TYPE.TABLE)
    style.base_style = document.styles["Normal Table"]
    style.element.append(_table_look())
    style.element.append(_header_look())


def _table_look() -> Any:
    properties = element("w:tblPr")
    borders = child(properties, "w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = {"w:val": "single", "w:sz": "4", "w:space": "0", "w:color": _GREY}
        child(borders, f"w:{side}", **line)
    margins = child(properties, "w:tblCellMar")
    for side, width in (("top", "50"), ("left", "100"), ("bottom", "50"), ("right", "100")):
        child(margins, f"w:{side}", **{"w:w": width, "w:type": "dxa"})
    return properties


def _header_look() -> Any:
    look = element("w:tblStylePr", **{"w:type": "firstRow"})
    run = child(look, "w:rPr")
    child(run, "w:b")
    child(run, "w:bCs")
    cell = child(look, "w:tcPr")
    child(cell, "w:shd", **{"w:val": "clear", "w:color": "auto", "w:fill": "E8EEF4"})
    return look


def page_numbers(document: Document, footer: str) -> None:
    """Put a line at the foot of every page: the footer's text, and `page / pages`."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Mm, Pt

    paragraph = document.sections[0].footer.paragraphs[0]
    stops = paragraph.paragraph_format.tab_stops
    stops.add_tab_stop(Mm(162), WD_TAB_ALIGNMENT.RIGHT)
    style: Any = document.styles["Footer"]
    style.paragraph_format.tab_stops.clear_all()
    style.font.size = Pt(8)
    paragraph.add_run(f"{footer}\t")
    for number, code in enumerate(("PAGE", "NUMPAGES")):
        if number:
            paragraph.add_run(" / ")
        run = paragraph.add_run()
        child(run._r, "w:fldChar", **{"w:fldCharType": "begin"})
        instruction = child(run._r, "w:instrText")
        instruction.text = code
        child(run._r, "w:fldChar", **{"w:fldCharType": "separate"})
        shown = child(run._r, "w:t")
        shown.text = "1"
        child(run._r, "w:fldChar", **{"w:fldCharType": "end"})
