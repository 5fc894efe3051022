"""Drives a RouterOS API with two clients that this project did not write, and checks what each sees.

Usage: routeros_clients.py --api HOST:PORT --user NAME --password-file FILE --queue NAME
         [--api-ssl HOST:PORT --certificate FILE] [--watcher NAME] [--stranger NAME] [--dynamic QUEUE]
       routeros_clients.py --api HOST:PORT --user NAME --password-file FILE --old-login | --fasttracked QUEUE

A watcher may log in and read, a stranger may not log in; both have the same password. A dynamic queue is one that the
router made itself. With --old-login the router is one of before 6.43, with --fasttracked its firewall fasttracks.

Needs PyPI's librouteros 4.2.2 and RouterOS-api 0.21.0. Prints a line for each check; the first failure ends it with
status 1. It leaves the queue's max-limit as it found it.
"""

import argparse
import functools
import ssl
import sys
import time

import librouteros
import librouteros.login
import routeros_api
from librouteros.exceptions import TrapError
from librouteros.query import Key
from routeros_api.exceptions import RouterOsApiCommunicationError

SIMPLE = "/queue/simple"
TREE = "/queue/tree"
FILTER = "/ip/firewall/filter"
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

    def __init__(self, host, port, user, password, *, certificate=None, old_login=False):
        more = {"login_method": librouteros.login.token} if old_login else {}
        if certificate:
            wrap = ssl.create_default_context(cafile=certificate).wrap_socket
            more["ssl_wrapper"] = functools.partial(wrap, server_hostname=host)
        self.api = librouteros.connect(host, user, password, port=port, **more)

    @staticmethod
    def refusal(action):
        """The message of the trap that `action` must cause."""
        try:
            action()
        except TrapError as trap:
            return str(trap)
        raise Failed("succeeded, expected a refusal")

    def menu(self, path):
        return self.api.path(*path.strip("/").split("/"))

    def print(self, menu=SIMPLE):
        return [as_text(row) for row in self.menu(menu)]

    def find(self, name, menu=SIMPLE):
        found = self.menu(menu).select().where(Key("name") == name)
        return [as_text(row) for row in found]

    def find_either(self, one, other):
        found = self.menu(SIMPLE).select(Key("name"), Key("disabled")).where(Key("name").In(one, other))
        return [as_text(row) for row in found]

    def add(self, menu=SIMPLE, **values):
        return self.menu(menu).add(**dashed(values))

    def set(self, menu=SIMPLE, **values):
        self.menu(menu).update(**dashed(values))

    def remove(self, identity, menu=SIMPLE):
        self.menu(menu).remove(identity)

    def call(self, menu, command, **values):
        tuple(self.menu(menu)(command, **dashed(values)))

    def close(self):
        self.api.close()


class RouterOsApi:
    """RouterOS-api: a tag on every sentence, `?name=x`, values as text, `id` for `.id`."""

    name = "RouterOS-api"

    def __init__(self, host, port, user, password, *, certificate=None, old_login=False):
        context = ssl.create_default_context(cafile=certificate) if certificate else None
        self.pool = routeros_api.RouterOsApiPool(
            host, user, password, port=port, plaintext_login=not old_login, ssl_context=context
        )
        self.api = self.pool.get_api()

    @staticmethod
    def refusal(action):
        """The message of the trap that `action` must cause."""
        try:
            action()
        except RouterOsApiCommunicationError as error:
            return error.original_message.decode()
        raise Failed("succeeded, expected a refusal")

    def menu(self, path):
        return self.api.get_resource(path)

    def print(self, menu=SIMPLE):
        return [with_dot(row) for row in self.menu(menu).get()]

    def find(self, name, menu=SIMPLE):
        return [with_dot(row) for row in self.menu(menu).get(name=name)]

    def find_either(self, one, other):
        equal = routeros_api.query.IsEqualQuery
        either = routeros_api.query.OrQuery(equal("name", one), equal("name", other))
        arguments = {"proplist": "name,disabled"}
        return [with_dot(row) for row in self.menu(SIMPLE).call("print", arguments, additional_queries=[either])]

    def add(self, menu=SIMPLE, **values):
        return self.menu(menu).add(**values).done_message["ret"]

    def set(self, menu=SIMPLE, **values):
        self.menu(menu).set(**values)

    def remove(self, identity, menu=SIMPLE):
        self.menu(menu).remove(id=identity)

    def call(self, menu, command, **values):
        self.menu(menu).call(command, dashed(values) if "id" not in values else values)

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


def check_login(client_type, where, **how):
    client = client_type(*where, **how)
    if not client.print("/system/identity"):
        raise Failed("the router has no identity")
    client.close()


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


def check_tree(client, other, _queue):
    values = {"packet_mark": "vip", "limit_at": "1M", "max_limit": "10M"}
    unknown = client.refusal(lambda: client.add(TREE, name=TEMPORARY, parent=NOBODY))
    expect(unknown, "input does not match any value of parent")
    identity = client.add(TREE, name=TEMPORARY, parent="bridge-lan", **values)
    try:
        row = only(other.find(TEMPORARY, TREE))
        wanted = {".id": identity, "parent": "bridge-lan", "packet-mark": "vip", "limit-at": "1000000",
                  "max-limit": "10000000", "invalid": "false", "disabled": "false"}
        expect({key: row[key] for key in wanted}, wanted)
        client.set(TREE, id=identity, max_limit="12500000")
        client.call(TREE, "disable", id=identity)
        row = only(other.find(TEMPORARY, TREE))
        expect((row["max-limit"], row["disabled"]), ("12500000", "true"))
        again = client.refusal(lambda: client.add(TREE, name=TEMPORARY, parent="global"))
        expect(again, "failure: already have such name")
        if "less than" not in (refused := client.refusal(lambda: client.set(TREE, id=identity, limit_at="20M"))):
            raise Failed(f"refused with {refused!r}")
    finally:
        client.remove(identity, TREE)
    expect(other.find(TEMPORARY, TREE), [])


def check_orphan(client, other, _queue):
    parent = client.add(TREE, name=TEMPORARY, parent="ether1")
    child = client.add(TREE, name=TEMPORARY + "-child", parent=TEMPORARY)
    expect(only(other.find(TEMPORARY + "-child", TREE))["invalid"], "false")
    client.remove(parent, TREE)
    row = only(other.find(TEMPORARY + "-child", TREE))
    client.remove(child, TREE)
    expect((row["invalid"], row["parent"]), ("true", parent))


def check_order(client, other, queue):
    """A queue before it takes the traffic of the same target, and the one behind counts nothing more."""
    row = only(client.find(queue))
    identity = client.add(name=TEMPORARY, target=row["target"], max_limit="1M/1M")
    try:
        expect(only(other.find(TEMPORARY))["bytes"], "0/0")
        client.call(SIMPLE, "move", numbers=identity, destination=row[".id"])
        expect([found["name"] for found in other.print()][:2], [TEMPORARY, queue])
        before = only(other.find(queue))["bytes"]
        time.sleep(1.5)
        expect(only(other.find(queue))["bytes"], before)
        if "0" in only(other.find(TEMPORARY))["bytes"].split("/"):
            raise Failed("the first queue of two counts nothing")
    finally:
        client.remove(identity)


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
    ("tree queue: add, set, disable, refusals, remove", check_tree),
    ("tree queue without its parent is invalid", check_orphan),
    ("the first simple queue of a target takes the traffic", check_order),
]


def check_dynamic(client, _other, queue):
    row = only(client.find(queue))
    expect(row["dynamic"], "true")
    refused = client.refusal(lambda: client.set(id=row[".id"], max_limit="1M/1M"))
    expect(refused.startswith("failure: can not change dynamic"), True)


def check_watcher(client_type, where, queue):
    client = client_type(*where)
    row = only(client.find(queue))
    refused = client.refusal(lambda: client.set(id=row[".id"], max_limit="1M/1M"))
    expect(refused, "not enough permissions (9)")
    client.close()


def check_stranger(client_type, where):
    expect(client_type.refusal(lambda: client_type(*where)), "invalid user name or password (6)")


def check_old_style_is_refused(client_type, where):
    """Since 6.45.1 a challenge is still given, and no answer to it is right."""
    refused = client_type.refusal(lambda: client_type(*where, old_login=True))
    expect(refused, "invalid user name or password (6)")


def check_wrong_old_password(client_type, where):
    host, port, user, password = where
    refused = client_type.refusal(lambda: client_type(host, port, user, password + "x", old_login=True))
    expect(refused, "cannot log in")


def check_fasttrack(client, other, queue):
    """While the firewall fasttracks, traffic passes over the queue; once its rule is disabled, through it."""
    expect(only(client.print("/ip/settings"))["ipv4-fasttrack-active"], "true")
    rule = only([row for row in client.print(FILTER) if row["action"] == "fasttrack-connection"])
    dummy = only([row for row in client.print(FILTER) if row["dynamic"] == "true"])
    expect(dummy["comment"], "special dummy rule to show fasttrack counters")
    time.sleep(1.5)
    after = only([row for row in other.print(FILTER) if row["dynamic"] == "true"])
    expect((int(after["bytes"]) > int(dummy["bytes"]), only(other.find(queue))["bytes"]), (True, "0/0"))
    client.call(FILTER, "disable", id=rule[".id"])
    time.sleep(1.5)
    expect(only(other.print("/ip/settings"))["ipv4-fasttrack-active"], "false")
    if only(other.find(queue))["bytes"] == "0/0":
        raise Failed("the queue counts nothing without FastTrack")


def report(client_type, what, check, *arguments, **how):
    try:
        check(*arguments, **how)
    except Exception as error:  # any exception of a client is a failed check
        print(f"{client_type.name}: {what} FAILED: {type(error).__name__}: {error}", flush=True)
        sys.exit(1)
    print(f"{client_type.name}: {what} ok", flush=True)


KINDS = (Librouteros, RouterOsApi)


def check_all(options, where, host, password):
    for kind in KINDS:
        report(kind, "login", check_login, kind, where)
        report(kind, "wrong password refused", check_wrong_password, kind, where)
        report(kind, "login by challenge refused", check_old_style_is_refused, kind, where)
        if options.api_ssl:
            secured = (*address(options.api_ssl), options.user, password)
            report(kind, "login through TLS", check_login, kind, secured, certificate=options.certificate)
        if options.watcher:
            watcher = (host, where[1], options.watcher, password)
            report(kind, "a user who may only read", check_watcher, kind, watcher, options.queue)
        if options.stranger:
            stranger = (host, where[1], options.stranger, password)
            report(kind, "a user whose group lacks api", check_stranger, kind, stranger)
    clients = [kind(*where) for kind in KINDS]
    for client, other in (clients, clients[::-1]):
        for what, check in CHECKS:
            report(type(client), what, check, client, other, options.queue)
        if options.dynamic:
            report(type(client), "a dynamic queue is not changed", check_dynamic, client, other, options.dynamic)
    for client in clients:
        client.close()


def check_old(where):
    for kind in KINDS:
        report(kind, "old login", check_login, kind, where, old_login=True)
        report(kind, "wrong password refused", check_wrong_old_password, kind, where)
    report(RouterOsApi, "new login falls back to the challenge", check_login, RouterOsApi, where)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--api", required=True, metavar="HOST:PORT")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", required=True, metavar="FILE")
    parser.add_argument("--queue")
    parser.add_argument("--api-ssl", metavar="HOST:PORT")
    parser.add_argument("--certificate", metavar="FILE")
    parser.add_argument("--watcher", metavar="NAME")
    parser.add_argument("--stranger", metavar="NAME")
    parser.add_argument("--dynamic", metavar="QUEUE")
    parser.add_argument("--old-login", action="store_true")
    parser.add_argument("--fasttracked", metavar="QUEUE")
    options = parser.parse_args()
    with open(options.password_file, encoding="ascii") as file:
        password = file.read().rstrip("\r\n")
    host, port = address(options.api)
    where = (host, port, options.user, password)
    if options.old_login:
        check_old(where)
    elif options.fasttracked:
        clients = [kind(*where) for kind in KINDS]
        report(KINDS[0], "FastTrack passes over queues", check_fasttrack, *clients, options.fasttracked)
    elif options.queue:
        check_all(options, where, host, password)
    else:
        parser.error("expected one of --queue, --old-login and --fasttracked")


if __name__ == "__main__":
    main()
