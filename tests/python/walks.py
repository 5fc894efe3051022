"""`takar-agent probe` over recorded walks of real devices, held against the recording itself and against what an
independent poller read from the same device. Every difference is explained by a rule below, or the check fails.

usage: walks.py --probe PROGRAM --target HOST:PORT --walks FOLDER [--table]
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys

IF = "1.3.6.1.2.1.2.2.1."
IFX = "1.3.6.1.2.1.31.1.1.1."
# Field of the probe: column, whether zero is told as nothing.
NUMBERS = {
    "hc_in_octets": IFX + "6",
    "hc_out_octets": IFX + "10",
    "in_octets": IF + "10",
    "out_octets": IF + "16",
    "in_discards": IF + "13",
    "in_errors": IF + "14",
    "out_discards": IF + "19",
    "out_errors": IF + "20",
    "if_type": IF + "3",
}
TEXTS = {"if_descr": IF + "2", "if_name": IFX + "1", "if_alias": IFX + "18"}
STATUS = {1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "notPresent", 7: "lowerLayerDown"}
COLUMNS = set(NUMBERS.values()) | set(TEXTS.values()) | {IF + "5", IF + "7", IF + "8", IFX + "15"}


def recording(path):
    """Column, then ifIndex, to the values recorded; duplicates are kept, for a device may answer either."""
    rows = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in path.read_bytes().decode("utf-8", "surrogateescape").splitlines():
        if line.count("|") < 2:
            continue
        oid, tag, value = line.split("|", 2)
        column, _, index = oid.rpartition(".")
        if column not in COLUMNS:
            continue
        if tag.startswith("4"):
            raw = bytes.fromhex(value) if tag == "4x" else value.encode("utf-8", "surrogateescape")
            rows[column][int(index)].append(raw.rstrip(b"\0").decode("utf-8", "replace"))
        elif tag.split(":")[0].rstrip("x") in {"2", "65", "66", "67", "70"} and ":" not in tag:
            rows[column][int(index)].append(int(value))
        else:
            rows[column][int(index)].append(None)
    return rows


def against_recording(read, rows):
    """One line for each value that is not as recorded."""
    by_index = {one["if_index"]: one for one in read["interfaces"]}
    indexes = {index for column in rows.values() for index in column}
    if indexes != set(by_index):
        yield f"interfaces {sorted(indexes ^ set(by_index))} are recorded or read, not both"
    for index, one in by_index.items():
        def recorded(column):
            return rows[column].get(index, [None])

        for field, column in {**NUMBERS, **TEXTS}.items():
            # The simulator that serves the recording strips blanks at a line's end.
            known = recorded(column) + [value.rstrip() for value in recorded(column) if isinstance(value, str)]
            if one[field] not in known and None not in known:
                yield f"ifIndex {index}: {field} is {one[field]!r}, recorded {recorded(column)!r}"
        speeds = {
            "high_speed_bps": [value and value * 1_000_000 or None for value in recorded(IFX + "15")],
            "speed_bps": [value or None for value in recorded(IF + "5")],
            "admin_status": [STATUS.get(value) for value in recorded(IF + "7")],
            "oper_status": [STATUS.get(value) for value in recorded(IF + "8")],
        }
        for field, values in speeds.items():
            if one[field] not in values:
                yield f"ifIndex {index}: {field} is {one[field]!r}, recorded {values!r}"


def ports(path):
    expected = json.loads(path.read_text()).get("ports")
    if not expected:
        return []
    found = {}
    # The poller's pass knows counters and speeds, the discovery's names.
    for step in ("discovery", "poller"):
        part = expected.get(step)
        for port in part["ports"] if isinstance(part, dict) else []:
            known = found.setdefault(port["ifIndex"], {})
            known.update({key: value for key, value in port.items() if value is not None})
    return found.items()


# Of these devices the other poller reads some values from a MIB of the maker's (its os definitions say so).
OTHER_MIB = {"airos-af", "airos-af-ltu"}


# Why the other poller's reading may differ without either being wrong. First match; None is no excuse.
def why(walk, field, ours, theirs, one):
    if walk in OTHER_MIB and (field == "oper" or field.endswith("octets")):
        return "it asks a MIB of the maker's"
    if field == "if_descr" and not ours and theirs == one["if_name"]:
        return "its ifDescr falls back to ifName where it is empty"
    if theirs is None:
        return "it keeps no such value"
    if field == "name" and theirs == one["if_descr"]:
        return "its ifName falls back to ifDescr for one interface, ours for the whole device"
    if field in ("name", "if_descr") and ours is not None and printable(ours) == printable(theirs):
        return "it prints control characters as dots, and keeps padding"
    if field in ("name", "if_descr", "if_alias") and ours is not None and ours.strip() == theirs.strip():
        return "it trims blanks"
    if field == "if_alias" and not ours:
        return "its ifAlias falls back to another name where it is empty"
    if field.endswith("octets") and ours is None and theirs == 0:
        return "it tells a missing counter as zero"
    if field.endswith("octets") and theirs in (one["hc_in_octets"], one["hc_out_octets"], one["in_octets"], one["out_octets"]):
        return "it took the counter of the other width"
    if field == "speed" and ours is None:
        return "it takes ifSpeed, or a default, where ifHighSpeed is zero or missing"
    if field == "speed":
        return "it judges by ifSpeed where both are told, or asks a MIB of the maker's"
    if field == "if_alias":
        return "its ifAlias is rewritten by a module for the maker"
    return None


def printable(text):
    return "".join(char if char.isprintable() else "." for char in text).rstrip(".\0 ")


def against_other(walk, read, expected):
    by_index = {one["if_index"]: one for one in read["interfaces"]}
    for index, port in expected:
        one = by_index.get(index)
        if one is None:
            yield ("interface", index, None, port.get("ifName"), None)
            continue
        wide = one["hc_in_octets"] is not None and one["hc_out_octets"] is not None
        pairs = [
            ("name", one["name"], port.get("ifName")),
            ("if_descr", one["if_descr"], port.get("ifDescr")),
            ("if_alias", one["if_alias"], port.get("ifAlias")),
            ("oper", one["oper_status"], port.get("ifOperStatus")),
            ("admin", one["admin_status"], port.get("ifAdminStatus")),
            ("in_octets", one["hc_in_octets" if wide else "in_octets"], port.get("ifInOctets")),
            ("out_octets", one["hc_out_octets" if wide else "out_octets"], port.get("ifOutOctets")),
            ("speed", one["high_speed_bps"], port.get("ifSpeed")),
        ]
        for field, ours, theirs in pairs:
            if ours != theirs:
                yield (field, index, ours, theirs, why(walk, field, ours, theirs, one))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--probe", required=True)
    arguments.add_argument("--target", required=True)
    arguments.add_argument("--walks", required=True, type=pathlib.Path)
    arguments.add_argument("--table", action="store_true", help="print every difference, as a table in Markdown")
    asked = arguments.parse_args()
    wrong, compared, differences = [], 0, collections.Counter()
    table = []
    walks = sorted(asked.walks.glob("*.snmprec"))
    for walk in walks:
        command = [asked.probe, "probe", "--target", asked.target, "--community", walk.stem, "--timeout-ms", "8000", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            wrong.append(f"{walk.stem}: {done.stderr.strip()}")
            continue
        read = json.loads(done.stdout)
        wrong += [f"{walk.stem}: {line}" for line in against_recording(read, recording(walk))]
        oracle = asked.walks / "expected" / f"{walk.stem}.json"
        expected = list(ports(oracle)) if oracle.exists() else []
        compared += 8 * len(expected)
        for field, index, ours, theirs, reason in against_other(walk.stem, read, expected):
            differences[reason] += 1
            table.append((walk.stem, index, field, ours, theirs, reason))
            if reason is None:
                wrong.append(f"{walk.stem}: ifIndex {index}: {field} is {ours!r}, the other poller read {theirs!r}")
    if asked.table:
        print("| walk | ifIndex | field | probe | other poller | why |\n|---|---|---|---|---|---|")
        for row in table:
            print("| " + " | ".join(repr(cell)[:60] if at in (3, 4) else str(cell) for at, cell in enumerate(row)) + " |")
    print(f"{len(walks)} walks; {compared} values compared with the other poller, of them different:")
    for reason, count in differences.most_common():
        print(f"  {count:5}  {reason or 'NOT EXPLAINED'}")
    for line in wrong[:60]:
        print(f"wrong: {line}", file=sys.stderr)
    if not walks:
        print(f"no walk in {asked.walks}", file=sys.stderr)
    return 1 if wrong or not walks else 0


if __name__ == "__main__":
    sys.exit(main())
