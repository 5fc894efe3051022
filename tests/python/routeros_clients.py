"""Drives a RouterOS API with two clients that this project did not write, and checks what each sees.

Usage: routeros_clients.py --api HOST:PORT --user NAME --password-file FILE --queue NAME

Needs PyPI's librouteros 4.2.2 and RouterOS-api 0.21.0. Prints a line for each check; the first failure ends it with
status 1. It leaves the queue's max-limit as it found it.
"""

import argparse
import sys

import librouteros
import routeros_api
from librouteros.exceptions import TrapError
from librouteros.query import Key
from routeros_api.exceptions import RouterOsApiCommunicationError

TEMPORARY = "clients-check"
NOBODY = "no-such-queue"
ABSENT_ID = "*FFFF"


class Failed(Exception):
    """A check did not hold."""


def expect(found, wanted):
    if found != wanted:
        raise Failed(f"found {found!r}, expected {wanted!r}")


class Librouteros:
    """librouteros: untagged sentences, `?=name=x`, values cast to Python types."""

    name = "librouteros"

    def __init__(self, host, port, user, password):
        self.api = librouteros.connect(host, user, password, port=port)
        self.queues = self.api.path("queue", "simple")

    @staticmethod
    def refusal(action):
        """The message of the trap that `action` must cause."""
        try:
            action()
        except TrapError as trap:
            return str(trap)
        raise Failed("succeeded, expected a refusal")

    def print(self):
        return [as_text(row) for row in self.queues]

    def find(self, name):
        found = self.queues.select().where(Key("name") == name)
        return [as_text(row) for row in found]

    def find_either(self, one, other):
        found = self.queues.select(Key("name"), Key("disabled")).where(Key("name").In(one, other))
        return [as_text(row) for row in found]

    def add(self, **values):
        return self.queues.add(**dashed(values))

    def set(self, **values):
        self.queues.update(**dashed(values))

    def remove(self, identity):
        self.queues.remove(identity)

    def close(self):
        self.api.close()


class RouterOsApi:
    """RouterOS-api: a tag on every sentence, `?name=x`, values as text, `id` for `.id`."""

    name = "RouterOS-api"

    def __init__(self, host, port, user, password):
        self.pool = routeros_api.RouterOsApiPool(host, user, password, port=port, plaintext_login=True)
        self.api = self.pool.get_api()
        self.queues = self.api.get_resource("/queue/simple")

    @staticmethod
    def refusal(action):
        """The message of the trap that `action` must cause."""
        try:
            action()
        except RouterOsApiCommunicationError as error:
            return error.original_message.decode()
        raise Failed("succeeded, expected a refusal")

    def print(self):
        return [with_dot(row) for row in self.queues.get()]

    def find(self, name):
        return [with_dot(row) for row in self.queues.get(name=name)]

    def find_either(self, one, other):
        equal = routeros_api.query.IsEqualQuery
        either = routeros_api.query.OrQuery(equal("name", one), equal("name", other))
        arguments = {"proplist": "name,disabled"}
        return [with_dot(row) for row in self.queues.call("print", arguments, additional_queries=[either])]

    def add(self, **values):
        return self.queues.add(**values).done_message["ret"]

    def set(self, **values):
        self.queues.set(**values)

    def remove(self, identity):
        self.queues.remove(id=identity)

    def close(self):
        self.pool.disconnect()


def dashed(values):
    """`max_limit` is `max-limit` on the wire, `id` is `.id`; RouterOS-api does the same by itself."""
    return {".id" if key == "id" else key.replace("_", "-"): value for key, value in values.items()}


def as_text(row):
    """librouteros casts numbers and booleans; cast back, as the router wrote them."""
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in row.items()}


def with_dot(row):
    return {".id" if key == "id" else key: value for key, value in row.items()}


def only(rows):
    if len(rows) != 1:
        raise Failed(f"found {len(rows)} queues, expected 1: {rows!r}")
    return rows[0]


def check_login(client_type, where):
    host, port, user, password = where
    client_type(host, port, user, password).close()


def check_wrong_password(client_type, where):
    host, port, user, password = where
    message = client_type.refusal(lambda: client_type(host, port, user, password + "x"))
    expect(message, "invalid user name or password (6)")


def check_print(client, _other, queue):
    row = only([row for row in client.print() if row["name"] == queue])
    for field in ("max-limit", "limit-at", "bytes", "packets", "dropped", "rate", "queued-bytes"):
        up, down = row[field].split("/")
        if not (up.isdigit() and down.isdigit()):
            raise Failed(f"{field} is {row[field]!r}, expected upload/download as integers")
    expect((row["disabled"], row["dynamic"], row["invalid"]), ("false", "false", "false"))


def check_query(client, _other, queue):
    expect(only(client.find(queue))["name"], queue)


def check_operators(client, _other, queue):
    expect(client.find_either(NOBODY, queue), [{"name": queue, "disabled": "false"}])


def check_set(client, other, queue):
    before = only(client.find(queue))
    try:
        client.set(id=before[".id"], limit_at="0/0", max_limit="7M/9000k")
        expect(only(other.find(queue))["max-limit"], "7000000/9000000")
    finally:
        client.set(id=before[".id"], limit_at=before["limit-at"], max_limit=before["max-limit"])
    after = only(other.find(queue))
    expect((after["max-limit"], after["limit-at"]), (before["max-limit"], before["limit-at"]))


def check_set_without_id(client, other, queue):
    before = only(client.find(queue))["max-limit"]
    client.set(max_limit="1M/1M")
    expect(only(other.find(queue))["max-limit"], before)


def check_add_and_remove(client, other, _queue):
    identity = client.add(name=TEMPORARY, target="10.99.0.7", max_limit="1M/2M")
    try:
        row = only(other.find(TEMPORARY))
        expect((row[".id"], row["target"], row["max-limit"]), (identity, "10.99.0.7/32", "1000000/2000000"))
        again = client.refusal(lambda: client.add(name=TEMPORARY, target="10.99.0.8"))
        expect(again, "failure: already have such name")
    finally:
        client.remove(identity)
    expect(other.find(TEMPORARY), [])


def check_limit_order(client, other, queue):
    before = only(client.find(queue))
    refused = client.refusal(lambda: client.set(id=before[".id"], limit_at="5M/1M", max_limit="4M/4M"))
    expect(refused, "failure: upload-max-limit less than upload-limit")
    after = only(other.find(queue))
    expect((after["max-limit"], after["limit-at"]), (before["max-limit"], before["limit-at"]))


def check_no_such_item(client, _other, _queue):
    expect(client.refusal(lambda: client.set(id=ABSENT_ID, max_limit="1M/1M")), "no such item")
    expect(client.refusal(lambda: client.remove(ABSENT_ID)), "no such item")


def check_empty(client, _other, queue):
    expect(client.find(NOBODY), [])
    # The connection is still in step after an empty answer.
    expect(only(client.find(queue))["name"], queue)


CHECKS = [
    ("print", check_print),
    ("query by name", check_query),
    ("query with operators", check_operators),
    ("set max-limit, read back by the other client", check_set),
    ("set without .id changes nothing", check_set_without_id),
    ("add, duplicate name refused, remove", check_add_and_remove),
    ("limit-at above max-limit refused", check_limit_order),
    ("no such item", check_no_such_item),
    ("empty result", check_empty),
]


def report(client_type, what, check, *arguments):
    try:
        check(*arguments)
    except Exception as error:  # any exception of a client is a failed check
        print(f"{client_type.name}: {what} FAILED: {type(error).__name__}: {error}", flush=True)
        sys.exit(1)
    print(f"{client_type.name}: {what} ok", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--api", required=True, metavar="HOST:PORT")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", required=True, metavar="FILE")
    parser.add_argument("--queue", required=True)
    options = parser.parse_args()
    host, port = options.api.rsplit(":", 1)
    with open(options.password_file, encoding="ascii") as file:
        password = file.read().rstrip("\r\n")
    where = (host, int(port), options.user, password)

    kinds = (Librouteros, RouterOsApi)
    for kind in kinds:
        report(kind, "login", check_login, kind, where)
        report(kind, "wrong password refused", check_wrong_password, kind, where)
    clients = [kind(*where) for kind in kinds]
    for client, other in (clients, clients[::-1]):
        for what, check in CHECKS:
            report(type(client), what, check, client, other, options.queue)
    for client in clients:
        client.close()


if __name__ == "__main__":
    main()
