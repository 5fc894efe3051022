#!/usr/bin/env python3
"""Writes fuzz/seeds/: what the wire promises, what devices and the kernel sent, and small files made here.

The seeds are in the repository; run this again when golden bytes or captured datagrams change.
"""
import pathlib
import re
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "shared/tests/golden/v01"
KINDS = ["birth", "telemetry", "gap", "grant", "command", "confirm", "cancel", "receipt", "facts"]


def golden(name):
    return bytes.fromhex((GOLDEN / f"{name}.hex").read_text())


def text(value):
    return bytes([len(value)]) + value.encode()


def envelope_open():
    return {path.stem: golden(path.stem) for path in GOLDEN.glob("envelope-*.hex")}


def envelope_body():
    for at, kind in enumerate(KINDS):
        for path in [GOLDEN / f"{kind}.hex", *GOLDEN.glob(f"{kind}-*.hex")]:
            if path.exists():
                yield path.stem, bytes([at]) + golden(path.stem)


def topic():
    agent = "takar/1/agent/" + bytes(range(0x20, 0x30)).hex()
    ups = ["up/birth", "up/telemetry", "up/receipt", "up/facts", "up/state"]
    leaves = [*ups, "down/grant", "down/command", "down/keyset"]
    return {leaf.replace("/", "-"): f"{agent}/{leaf}".encode() for leaf in leaves}


def journal():
    device, digest, command = text("gw-012"), bytes(range(32)), golden("command")
    first = command.index(b"\x0asatker-012") - 1  # Shaper::Queue; then direction, cir, mir of the first setting
    setting = command[first : first + 22]
    snapshot = [b"\x00\x01\x00", b"\x03\x01"]  # begin: epoch 1, no high water; end: one entry before it
    opened = bytes(range(16)) + b"\x01" + b"\x01" + setting + b"\x01" + setting + b"\x5a\x00"

    def appended(*records):
        return b"\x04" + bytes([len(records)]) + b"".join(records)

    accepted = appended(b"\x03" + device + digest + b"\xe0\xec\x98\xdb\xfd\x31" + opened)
    receipt = b"\x08" + golden("receipt-applied")
    change = [*snapshot, accepted, appended(b"\x04" + device, receipt), appended(b"\x05" + device), appended(b"\x06" + device)]
    rest = [*snapshot, appended(b"\x00\x05"), appended(b"\x01\x2a"), appended(b"\x02" + device + b"\x01" + digest),
            appended(b"\x09" + device + digest)]
    undone = [*snapshot, accepted, appended(b"\x07" + device)]
    files = {"change": change, "rest": rest, "undone": undone, "snapshot": snapshot}
    return {
        name: b"".join(len(body).to_bytes(2, "little") + body for body in bodies) for name, bodies in files.items()
    }


def routeros():
    def word(value):
        length = len(value)
        head = bytes([length]) if length < 0x80 else (0x8000 | length).to_bytes(2, "big")
        return head + value.encode()

    def sentence(*words):
        return b"".join(map(word, words)) + b"\0"

    row = sentence(
        "!re", "=.id=*1F", "=name=satker-012", "=disabled=false", "=invalid=false", "=dynamic=false",
        "=limit-at=1000000/2000000", "=max-limit=5M/10M", "=burst-limit=0/0", "=bytes=123/456", "=dropped=0/7",
        "=queued-bytes=0/0", "=comment=" + "x" * 200,
    )  # fmt: skip
    done = sentence("!done")
    return {
        "row": b"\x03\x01\x05\x40" + row + done,
        "flood-row": b"\xf0" + row,
        "flood-endless-sentence": b"\xf0" + word("y" * 1000),
        "trap": b"\x00" + sentence("!trap", "=category=0", "=message=no such item") + done,
        "empty": b"\x01\x00\0\0" + done,
        "long-forms": b"\x00\x80\x05!done\0\xc0\0\x05!done\0\xf0\0\0\0\x05!done\0",
        "reserved": b"\x00" + done + b"\xf8",
    }


def netlink(backend):
    source = (ROOT / f"agent/src/queue/{backend}/captured.rs").read_text()
    for name, body in re.findall(r"pub const (\w+): Captured = Captured\((.*?)\);\n", source, re.S):
        yield name.lower(), bytes.fromhex("".join(re.findall(r'"([0-9a-f]*)"', body)))


def snmp():
    def tlv(tag, *parts):
        body = b"".join(parts)
        length = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
        return bytes([tag]) + length + body

    def varbind(arcs, value):
        return tlv(0x30, tlv(6, b"\x2b" + bytes(arcs)), value)

    def response(tag, *varbinds):
        numbers = tlv(2, b"\x2a"), tlv(2, b"\0"), tlv(2, b"\0")
        return tlv(0x30, tlv(2, b"\x01"), tlv(4, b"public"), tlv(tag, *numbers, tlv(0x30, *varbinds)))

    entry = [6, 1, 2, 1, 31, 1, 1, 1]
    values = [
        varbind([6, 1, 2, 1, 1, 3, 0], tlv(0x43, b"\x01\x02\x03")),
        varbind(entry + [1, 7], tlv(4, b"ether1")),
        varbind(entry + [6, 7], tlv(0x46, b"\0" + b"\xff" * 8)),
        varbind(entry + [15, 7], tlv(0x42, b"\x03\xe8")),
        varbind([6, 1, 2, 1, 2, 2, 1, 10, 7], tlv(0x41, b"\0\xff\xff\xff\xff")),
        varbind([6, 1, 2, 1, 2, 2, 1, 8, 7], tlv(2, b"\x01")),
    ]
    source = (ROOT / "agent/src/snmp/header.rs").read_text()
    report = bytes.fromhex("".join(re.search(r'NET_SNMP: &str = "([^"]*)"', source)[1].replace("\\", "").split()))
    flags = report.index(b"\x04\x01\0\x02\x01\x03")
    engine = bytes.fromhex("80001f8880a9851805370d056b00000000")
    flagged = tlv(0x30, tlv(2, b"\x2a"), tlv(2, b"\0\xff\xe3"), tlv(4, b"\x03"), tlv(2, b"\x03"))
    user = tlv(4, engine), tlv(2, b"\x01"), tlv(2, b"\x02"), tlv(4, b"takar"), tlv(4, bytes(24)), tlv(4, bytes(8))
    return {
        "v2c-counters": response(0xA2, *values),
        "v2c-end": response(0xA2, varbind(entry + [1, 8], tlv(0x82)), varbind(entry + [1, 9], tlv(0x80))),
        "v2c-trap": response(0xA7, *values[:1]),
        "v3-report": report,
        "v3-forged": tlv(0x30, tlv(2, b"\x03"), flagged, tlv(4, tlv(0x30, *user)), tlv(4, bytes(40))),
        "v3-claims-a-digest": report[: flags + 2] + b"\x01" + report[flags + 3 :],
    }


def inventory():
    source = (ROOT / "collector/core/src/inventory/raw.rs").read_text()
    example = re.search(r"//! ```toml\n(.*?)//! ```", source, re.S)[1]
    sound = "".join(line.removeprefix("//!").removeprefix(" ") + "\n" for line in example.splitlines())
    return {
        "sound": sound.encode(),
        "unsound": sound.replace("100_000_000", "0").replace("10_000_000", "1").replace("[[site]]", "[site]").encode(),
        "unknown": (sound + '\n[[links]]\n\n["a b"]\n').encode(),
        "cut": sound[:200].encode(),
        "many": b"no TOML\n" * 30,  # more problems than are told
    }


TARGETS = {
    "cake_netlink": lambda: netlink("cake"),
    "envelope_body": envelope_body,
    "envelope_open": envelope_open,
    "htb_netlink": lambda: netlink("htb"),
    "inventory": inventory,
    "journal": journal,
    "keyset": lambda: {"keyset": golden("keyset"), "signed-keyset": golden("signed-keyset")},
    "routeros_codec": routeros,
    "snmp_message": snmp,
    "topic": topic,
}

for target, make in TARGETS.items():
    folder = ROOT / "fuzz/seeds" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in dict(make()).items():
        (folder / name).write_bytes(data)
    assert any(folder.iterdir()), f"{target} has no seeds"
