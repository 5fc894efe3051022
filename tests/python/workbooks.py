"""Registers as workbooks of openpyxl: the template filled in is taken, formulas and merged cells are refused by name."""

import argparse
import datetime
import pathlib
import subprocess

import openpyxl

parser = argparse.ArgumentParser()
parser.add_argument("--takar", required=True)
parser.add_argument("--config", required=True)
parser.add_argument("--folder", required=True, type=pathlib.Path)
asked = parser.parse_args()


def takar(*words, expected=0):
    command = [asked.takar, "--config", asked.config, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == expected, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def columns(table):
    return {cell.value: cell.column for cell in table[1] if cell.value}


def put(book, sheet, **fields):
    """A row below what is there, each field in the column that has its name (`__` for the point of inner tables)."""
    table = book[sheet]
    place = columns(table)
    row = next(at for at in range(2, 1000) if table.cell(at, place["name"]).value is None)
    for field, value in fields.items():
        table.cell(row, place[field.replace("__", ".")]).value = value


def fill(book):
    put(book, "provider", name="isp", title="PT Jaringan Nusantara", email="noc@isp.example")
    put(book, "uplink", name="utama", provider="isp", down_bps=20_000_000, up_bps="20M")
    put(
        book, "contract", name="k-1", provider="isp", uplink="utama", number="027/K-1/2026", down_bps=20_000_000,
        up_bps=20_000_000, price_idr=24_000_000, begins=datetime.date(2026, 1, 1), ends=datetime.date(2030, 12, 31),
    )
    for name in ("kantor-a", "kantor-b"):
        put(book, "site", name=name, title=name.title(), users=40)
        put(
            book, "link", name=name, site=name, uplink="utama", device=name, interface="ether1",
            down__queue=name, down__cir_bps="1,5M", down__mir_bps=10_000_000,
            up__queue=name, up__cir_bps="1.5M", up__mir_bps=10_000_000,
        )


template = asked.folder / "template.xlsx"
takar("import", "--template", template)
filled = asked.folder / "filled.xlsx"
book = openpyxl.load_workbook(template)
fill(book)
book.save(filled)
takar("import", filled)
was = takar("export", "-")
for says in ('title = "PT Jaringan Nusantara"', "cir_bps = 1_500_000", 'begins = "2026-01-01"', "price_idr = 24_000_000"):
    assert says in was, f"{says} is not in\n{was}"

# What was wrong is told by its cell, all of it at once, and nothing of the rest is taken.
broken = asked.folder / "broken.xlsx"
book = openpyxl.load_workbook(filled)
uplink, site, contract = book["uplink"], book["site"], book["contract"]
uplink.cell(2, columns(uplink)["down_bps"]).value = "=10000000*3"
title = site.cell(2, columns(site)["title"])
site.merge_cells(start_row=2, end_row=3, start_column=title.column, end_column=title.column)
contract.cell(2, columns(contract)["price_idr"]).value = -5
book.save(broken)
told = takar("import", broken, expected=1)
down = uplink.cell(2, columns(uplink)["down_bps"]).coordinate
for says in (f"cell {down}: a formula", f"cell {title.coordinate}: merged with other cells", "contract row 2 (k-1), column price_idr: expected 0 rupiah or more, found -5"):
    assert says in told, f"{says} is not in\n{told}"
assert takar("export", "-") == was, "a refused workbook changed the register"

# What Takar writes, another program reads: numbers are numbers.
checked = asked.folder / "check.xlsx"
takar("check", "--into", checked)
table = openpyxl.load_workbook(checked).worksheets[0]
rows = list(table.iter_rows(values_only=True))
assert len(rows) == 5, rows
numbers = [value for row in rows[1:] for value in row if isinstance(value, (int, float))]
assert 10_000_000 in numbers or 10 in numbers, rows
again = asked.folder / "again.xlsx"
takar("export", again)
takar("import", again)
assert takar("export", "-") == was, "the register does not come back as it went out"
print("workbooks of openpyxl: the template is taken, formulas, merged cells and a negative price are refused by cell")
