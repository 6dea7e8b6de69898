"""Prints the events of a log in their JSON form, one on each line, in log order.

  reader.py sqlite <file>           of a log in a SQLite file
  reader.py commits <commit.proto>  of commits in JetStream: on standard input, for each message a line of JSON with the
                                    log's number, the stream, the message's sequence, its time in milliseconds, and the
                                    payload in base64

Needs Python 3.9 and, for commits, protoc.
"""

import ast
import base64
import datetime
import json
import os
import re
import sqlite3
import subprocess
import sys

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KINDS = ["nil", "json", "string", "bytes", "proto"]
EPOCH = datetime.datetime(1970, 1, 1)


def event_id(log, position, index, last, clock):
    number = position << 80 | index << 69 | last << 68 | log << 48 | clock
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def iso(milliseconds):
    time = EPOCH + datetime.timedelta(milliseconds=milliseconds)
    return time.isoformat(timespec="milliseconds") + "Z"


def payload(kind, data):
    """In its JSON form. `data` is bytes."""
    if kind == "nil":
        return None
    if kind == "json":
        return json.loads(data)
    return data.decode() if kind == "string" else {"base64": base64.b64encode(data).decode()}


def from_sqlite(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert db.execute("PRAGMA application_id").fetchone() == (0x53414D56,), "this is no event log"
    (log,) = db.execute("SELECT number FROM log").fetchone()
    # The streams whose names begin with ! are erased: their events are about to go.
    rows = db.execute(
        """SELECT seq, name, kind, type, data, time, acked, client, schema, aggregate, cause, meta
           FROM events JOIN streams ON streams.id = events.stream WHERE name NOT LIKE '!%' ORDER BY seq"""
    )
    for seq, stream, kind, type, data, time, acked, client, schema, aggregate, cause, meta in rows:
        data_type = KINDS[kind & 7]
        yield {
            "stream": stream,
            "id": event_id(log, seq >> 11, seq & 2047, kind >> 3, acked),
            "type": type,
            "dataType": data_type,
            "data": payload(data_type, data.encode() if isinstance(data, str) else data),
            "time": iso(time),
            "ackTime": iso(acked),
            "schema": schema or "",
            "client": client or "",
            "aggregate": aggregate or "",
            "cause": cause,
            "meta": json.loads(meta or "{}"),
            "deliveries": 0,
        }


def from_commits(proto, lines):
    for line in lines:
        message = json.loads(line)
        commit = decoded(proto, base64.b64decode(message["payload"]))
        events = commit["events"]
        clock = commit.get("clock", [0])[0]
        for index, event in enumerate(events):
            field = lambda name, unset=b"": event.get(name, [unset])[0]
            data_type = field("data_kind", "DATA_KIND_UNSPECIFIED").replace("DATA_KIND_", "").lower()
            data_type = "nil" if data_type == "unspecified" else data_type
            last = index == len(events) - 1
            yield {
                "stream": message["stream"],
                "id": event_id(message["log"], message["sequence"], index, last, clock),
                "type": field("type").decode(),
                "dataType": data_type,
                "data": payload(data_type, field("data")),
                "time": iso(field("time", 0)),
                "ackTime": iso(message["time"]),
                "schema": field("schema").decode(),
                "client": commit.get("client", [b""])[0].decode(),
                "aggregate": field("aggregate").decode(),
                "cause": field("cause").decode() or None,
                "meta": {entry["key"][0].decode(): entry["value"][0].decode() for entry in event.get("meta", [])},
                "deliveries": 0,
            }


def decoded(proto, message):
    """The commit that protoc finds in these bytes: for each field its values, themselves fields where it has some."""
    folder, name = os.path.split(proto)
    command = ["protoc", "--decode=samovar.eda.v1.Commit", f"--proto_path={folder}", name]
    text = subprocess.run(command, input=message, stdout=subprocess.PIPE, check=True).stdout.decode("ascii")
    open_messages = [{}]
    for line in text.splitlines():
        begins, name, value = re.fullmatch(r"\s*(?:(\w+) \{|(\w+): (.*)|\})", line).groups()
        if begins:
            inner = {}
            open_messages[-1].setdefault(begins, []).append(inner)
            open_messages.append(inner)
        elif name:
            open_messages[-1].setdefault(name, []).append(literal(value))
        else:
            open_messages.pop()
    return open_messages[0]


def literal(text):
    if text.startswith('"'):
        return ast.literal_eval("b" + text)
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def main():
    source, path = sys.argv[1:]
    events = from_sqlite(path) if source == "sqlite" else from_commits(path, sys.stdin)
    for event in events:
        print(json.dumps(event))


main()
