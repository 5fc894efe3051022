"""A provider's webhook: keeps each request as a file, with what its signature is worth by this program's own sum."""

import argparse
import hashlib
import hmac
import http.server
import json
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--port", required=True, type=int)
parser.add_argument("--secret-file", required=True, type=pathlib.Path)
parser.add_argument("--folder", required=True, type=pathlib.Path)
asked = parser.parse_args()
secret = asked.secret_file.read_bytes().strip()
asked.folder.mkdir(exist_ok=True)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = dict(part.split("=", 1) for part in self.headers["Takar-Signature"].split(","))
        expected = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        kept = {
            "signed": hmac.compare_digest(expected, parts["v1"]),
            "message": self.headers["Takar-Message"],
            "body": json.loads(body),
        }
        name = asked.folder / f"{len(list(asked.folder.iterdir())):03}.json"
        name.with_suffix(".part").write_text(json.dumps(kept))
        name.with_suffix(".part").rename(name)
        self.send_response(204)
        self.end_headers()


http.server.HTTPServer(("127.0.0.1", asked.port), Receiver).serve_forever()
