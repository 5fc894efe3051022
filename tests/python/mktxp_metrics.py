"""Compares what mktxp exports of a router with what the router's API says itself.

Usage: mktxp_metrics.py --mktxp PROGRAM --api HOST:PORT --user NAME --password-file FILE [--certificate FILE]

Needs PyPI's mktxp 2.1.0. With --certificate the exporter talks through TLS and trusts that certificate alone. Prints a
line for each check; the first failure ends it with status 1.
"""

import argparse
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import routeros_api
from prometheus_client.parser import text_string_to_metric_families

# What the exporter reads besides identity and resources, which cannot be switched off.
WANTED = ("interface", "queue")
SWITCHES = re.compile(r"^\s+(\w+) = (?:True|False)\b", re.MULTILINE)
SETTINGS = ("enabled", "module_only", "use_ssl", "no_ssl_certificate", "ssl_certificate_verify", "ssl_check_hostname",
            "plaintext_login")


class Failed(Exception):
    """A check did not hold."""


def expect(found, wanted):
    if found != wanted:
        raise Failed(f"found {found!r}, expected {wanted!r}")


class Exporter:
    """mktxp in a process of its own, with a configuration of its own."""

    def __init__(self, folder, options, host, port, password):
        folder = pathlib.Path(folder)
        self.log = folder / "mktxp.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [options.mktxp, "--cfg-dir", str(folder)]
        # It writes its own configuration first; what there is to switch is read from that.
        subprocess.run([*command, "info"], check=True, capture_output=True, timeout=60)
        switches = [name for name in SWITCHES.findall((folder / "mktxp.conf").read_text()) if name not in SETTINGS]
        lines = [f"[router]\n    enabled = True\n    hostname = {host}\n    port = {port}",
                 f"    username = {options.user}\n    password = {password}\n    use_ssl = {bool(options.certificate)}"]
        if options.certificate:
            lines.append(f"    ssl_certificate_verify = True\n    ssl_ca_file = {options.certificate}")
        lines += [f"    {name} = {name in WANTED}" for name in switches]
        (folder / "mktxp.conf").write_text("\n".join(lines) + "\n")
        own = (folder / "_mktxp.conf").read_text()
        own = re.sub(r"^(\s+listen) = .*$", rf"\1 = '127.0.0.1:{self.port}'", own, flags=re.MULTILINE)
        own = re.sub(r"^(\s+minimal_collect_interval) = .*$", r"\1 = 1", own, flags=re.MULTILINE)
        (folder / "_mktxp.conf").write_text(own)
        with self.log.open("w") as log:
            self.process = subprocess.Popen([*command, "export"], stdout=log, stderr=subprocess.STDOUT)

    def samples(self):
        """Every sample of one scrape, by name and the value of its `name` label."""
        for _ in range(100):
            if self.process.poll() is not None:
                raise Failed(f"mktxp ended with status {self.process.returncode}: {self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=20) as answer:
                    text = answer.read().decode()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
        else:
            raise Failed("mktxp does not listen")
        families = text_string_to_metric_families(text)
        return {
            (sample.name, sample.labels.get("name")): sample for family in families for sample in family.samples
        }

    def complaints(self):
        words = re.compile(r"error|exception|fail|traceback", re.IGNORECASE)
        return [line for line in self.log.read_text().splitlines() if words.search(line)]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def both_ways(row, field):
    up, down = row[field].split("/")
    return {"upload": up, "download": down}


def read(api):
    """What counts, by the names that mktxp gives it: {(metric, name): value}."""
    found = {}
    for row in api.get_resource("/interface").get():
        for field in ("rx-byte", "tx-byte", "rx-packet", "tx-packet"):
            found[f"mktxp_interface_{field.replace('-', '_')}_total", row["name"]] = int(row[field])
    for row in api.get_resource("/queue/simple").get():
        for field in ("bytes", "dropped"):
            for way, value in both_ways(row, field).items():
                found[f"mktxp_queue_simple_{field}_{way}_total", row["name"]] = int(value)
    for row in api.get_resource("/queue/tree").get():
        for field in ("bytes", "dropped"):
            found[f"mktxp_queue_tree_{field}_total", row["name"]] = int(row[field])
    return found


def check_identity(samples, api):
    identity = api.get_resource("/system/identity").get()[0]["name"]
    resource = api.get_resource("/system/resource").get()[0]
    expect(("mktxp_system_identity_info", identity) in samples, True)
    memory = samples["mktxp_system_total_memory", None]
    expect(memory.value, float(resource["total-memory"]))
    found = {label: memory.labels[label] for label in ("version", "board_name")}
    expect(found, {"version": resource["version"], "board_name": resource["board-name"]})


def check_counters(samples, before, after, part):
    prefix = f"mktxp_{part}_"
    wanted = {key: value for key, value in before.items() if key[0].startswith(prefix)}
    if not wanted:
        raise Failed(f"the router has nothing that mktxp would call {prefix}…")
    for key, least in wanted.items():
        if key not in samples:
            raise Failed(f"{key} is missing")
        if not least <= samples[key].value <= after[key]:
            raise Failed(f"{key} is {samples[key].value}, expected {least} to {after[key]}")
    if not any(value > 0 for value in wanted.values()):
        raise Failed(f"nothing of {prefix}… has counted yet")


def check_silence(exporter):
    expect(exporter.complaints(), [])


def report(what, check, *arguments):
    try:
        check(*arguments)
    except Exception as error:  # whatever goes wrong is a failed check
        print(f"mktxp: {what} FAILED: {type(error).__name__}: {error}", flush=True)
        sys.exit(1)
    print(f"mktxp: {what} ok", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mktxp", required=True, metavar="PROGRAM")
    parser.add_argument("--api", required=True, metavar="HOST:PORT")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", required=True, metavar="FILE")
    parser.add_argument("--certificate", metavar="FILE")
    options = parser.parse_args()
    host, port = options.api.rsplit(":", 1)
    password = pathlib.Path(options.password_file).read_text(encoding="ascii").rstrip("\r\n")
    context = ssl.create_default_context(cafile=options.certificate) if options.certificate else None
    pool = routeros_api.RouterOsApiPool(
        host, options.user, password, port=int(port), plaintext_login=True, ssl_context=context
    )
    api = pool.get_api()
    with tempfile.TemporaryDirectory() as folder:
        exporter = Exporter(folder, options, host, port, password)
        try:
            # The first scrape opens the connection, and says nothing yet.
            exporter.samples()
            time.sleep(1.5)
            before = read(api)
            samples = exporter.samples()
            after = read(api)
            way = "through TLS" if options.certificate else "by the bare API"
            report(f"identity and resources, {way}", check_identity, samples, api)
            for part in ("interface", "queue_simple", "queue_tree"):
                report(f"{part.replace('_', ' ')}, {way}", check_counters, samples, before, after, part)
            report(f"no complaint, {way}", check_silence, exporter)
        finally:
            exporter.stop()
    pool.disconnect()


if __name__ == "__main__":
    main()
