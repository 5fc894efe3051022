"""Logs in as a person would and lets schemathesis try every operation of /v1/openapi.json. Exit: that of schemathesis."""

import argparse
import os
import pathlib
import subprocess
import sys

import requests

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--ca", required=True, help="the authority of the server's certificate, PEM")
parser.add_argument("--name", required=True)
parser.add_argument("--password-file", required=True, type=pathlib.Path)
asked = parser.parse_args()

browser = requests.Session()
browser.trust_env = False
browser.verify = asked.ca
login = {"name": asked.name, "password": asked.password_file.read_text(), "next": "/"}
answer = browser.post(asked.url + "/login", data=login, allow_redirects=False)
assert answer.status_code == 303, f"log-in of {asked.name}: {answer.status_code}"
session = browser.get(asked.url + "/v1/session").json()
assert session["account"] == asked.name, session

program = pathlib.Path(sys.executable).absolute().parent / "schemathesis"
config = pathlib.Path(__file__).resolve().parent / "schemathesis.toml"
document = asked.url + "/v1/openapi.json"
command = [program, "--config-file", config, "run", document, "--tls-verify", asked.ca]
# Another authority of the machine's would win over ours.
environment = {name: value for name, value in os.environ.items() if not name.endswith("_CA_BUNDLE")}
environment["TAKAR_SESSION"] = browser.cookies["__Host-takar"]
environment["TAKAR_CSRF"] = session["csrf"]
# It keeps notes of its own where it runs.
sys.exit(subprocess.run(command, env=environment, cwd=asked.password_file.parent, check=False).returncode)
