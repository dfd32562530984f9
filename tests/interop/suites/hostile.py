"""Messages that no honest client sends. Each gets the standard's error or the end of its connection, within
a time and a memory that have bounds, and a client that is connected meanwhile notices nothing."""

import contextlib
import socket
import ssl
import struct
import threading
import time

import suite

import ttlv
from ttlv import (BYTES, CREATE, ENUMERATION, FAILED, GET, INTEGER, QUERY, STRUCTURE, SUCCESS, TEXT, Closed, Connection,
                  batch_item, create_aes, enumeration, integer, item, message, statuses, structure, text)

QUERY_ITEM = batch_item(QUERY, enumeration("QueryFunction", 1))
# What the server may take in memory for all that one test sends at a time, in KiB.
BOUND = 64 * 1024
# What another client may wait for its answer meanwhile, in seconds.
PATIENCE = 2.0


class Witness:
    """A client that asks all the time, on one connection, while something else goes on."""

    def __init__(self, world):
        self.world, self.slowest, self.answers, self.error = world, 0.0, 0, None
        self.going = True
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            with Connection(self.world.place) as connection:
                while self.going or self.answers < 3:
                    start = time.monotonic()
                    assert statuses(connection.ask(message(QUERY_ITEM))) == [SUCCESS]
                    self.slowest = max(self.slowest, time.monotonic() - start)
                    self.answers += 1
                    time.sleep(0.01)
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.before = self.world.memory()
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.going = False
        self.thread.join()
        if kind is None:
            assert self.error is None, f"another client was disturbed: {self.error!r}"
            assert self.slowest < PATIENCE, f"another client waited {self.slowest:.1f} s"
            grown = self.world.memory() - self.before
            assert grown < BOUND, f"memory grew by {grown} KiB"


def outcome(world, data, timeout=20):
    """What one message comes to: "closed", or the statuses of its answer."""
    with Connection(world.place, timeout) as connection:
        try:
            connection.send(data)
            answer = connection.receive()
        except (Closed, ConnectionError, ssl.SSLError):
            return "closed"
        return statuses(answer)


def refuses(world, *bad):
    """Each of `bad` is answered by failures alone, or the connection ends."""
    with Witness(world):
        for data in bad:
            got = outcome(world, data)
            assert got == "closed" or (got and set(got) == {FAILED}), f"{data[:80].hex()}: {got}"


def outer_tag(world):
    good = message(QUERY_ITEM)
    refuses(world, b"\x42\x00\x7b" + good[3:], b"\x00\x00\x00" + good[3:], b"\xff\xff\xff" + good[3:],
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".ljust(64, b"\0"))


def outer_type(world):
    good = message(QUERY_ITEM)
    refuses(world, *[good[:3] + bytes([kind]) + good[4:] for kind in (0, 2, 7, 8, 11, 0x80, 0xFF)])


def inner_type(world):
    def with_count(kind, value):
        versions = structure("ProtocolVersion", integer("ProtocolVersionMajor", 1), integer("ProtocolVersionMinor", 4))
        return structure("RequestMessage", structure(
            "RequestHeader", versions, item("BatchCount", kind, value)), QUERY_ITEM)

    refuses(world, with_count(TEXT, b"\0\0\0\1"), with_count(0x7F, b"\0\0\0\1"), with_count(STRUCTURE, b""),
            with_count(ENUMERATION, b"\0\0\0\1"))


def lengths(world):
    """Integers of three and five bytes, items longer than what holds them."""
    def query(value):
        return message(batch_item(QUERY, value))

    refuses(world, query(item("QueryFunction", ENUMERATION, b"\0\0\0\1\0", 5)),
            query(item("QueryFunction", ENUMERATION, b"\0\0\1", 3)),
            query(item("QueryFunction", ENUMERATION, b"", 0)),
            query(item("QueryFunction", ENUMERATION, b"\0\0\0\1", 0x7FFFFFFF)),
            query(item("Data", BYTES, b"12345678", 16)), query(item("Data", STRUCTURE, b"\0" * 8, 8)))


def four_gibibytes(world):
    """A head that announces 4 GiB: nothing is set aside for it."""
    with Witness(world):
        for length in (0xFFFFFFFF, 0xFFFFFFF8, 0x80000000, 0x7FFFFFF8):
            head = b"\x42\x00\x78\x01" + struct.pack(">I", length)
            assert outcome(world, head + b"\x42\x00\x77\x01" + b"\0" * 4096) in ("closed", [FAILED])


def depth(world):
    """Structures in structures, ten thousand deep, both with right lengths and with wrong ones."""
    inner = b""
    for _ in range(10_000):
        inner = structure("Attribute", inner)
    bomb = message(batch_item(GET, inner))
    endless = message(batch_item(GET, item("Attribute", STRUCTURE, b"\x42\x00\x08\x01\0\0\0\x08" * 5000)))
    refuses(world, bomb, endless)


def count_of_a_million(world):
    with Witness(world):
        for count in (1_000_000, 0x7FFFFFFF, -1, 0):
            got = outcome(world, message(QUERY_ITEM, count=count))
            assert got == [FAILED], (count, got)


def a_million_items(world):
    """As many empty items as fit into a message of 2 MiB."""
    with Witness(world):
        got = outcome(world, message(item(0x420008, STRUCTURE, b"\x42\x00\x0f\x01\0\0\0\0" * 250_000)))
        assert got == "closed" or set(got) == {FAILED}, got


def unknown_numbers(world):
    """Operations, enumerations and tags that do not exist."""
    refuses(world, message(batch_item(0)), message(batch_item(0x7FFF)), message(batch_item(0xFFFFFFFF)),
            message(batch_item(QUERY, enumeration("QueryFunction", 0xABCDEF))),
            message(batch_item(CREATE, enumeration("ObjectType", 99), structure("TemplateAttribute"))),
            message(batch_item(CREATE, enumeration("ObjectType", 2), structure("TemplateAttribute", ttlv.attribute(
                "Cryptographic Algorithm", enumeration("AttributeValue", 0x00FFFFFF))))))


def texts(world):
    """Invalid UTF-8, in values and in names of attributes."""
    bad = (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"a\x80", b"\xf5\x80\x80\x80")
    refuses(world, *[message(batch_item(GET, text("UniqueIdentifier", one))) for one in bad],
            *[message(batch_item(CREATE, enumeration("ObjectType", 2), structure(
                "TemplateAttribute", structure("Attribute", text("AttributeName", one))))) for one in bad])


def padding(world):
    """Bytes that fill up must be zero (1.4, section 9.1.1.4)."""
    refuses(world, message(batch_item(QUERY, item("QueryFunction", ENUMERATION, b"\0\0\0\1", padding=b"\1"))),
            message(batch_item(GET, item("UniqueIdentifier", TEXT, b"abc", padding=b"x"))))


def booleans(world):
    """True is one, false is zero, and nothing else is a boolean (1.4, section 9.1.1.4)."""
    refuses(world, message(QUERY_ITEM, head=[item("BatchOrderOption", 6, b"\0" * 7 + b"\2")]),
            message(QUERY_ITEM, head=[item("BatchOrderOption", 6, b"\xff" * 8)]))


def trailing(world):
    """Bytes after the last item of a message, inside its length."""
    good = message(QUERY_ITEM)
    for tail in (b"\0" * 8, b"\x42\x00\x0f", integer("BatchCount", 1)):
        body = good[8:] + tail
        refuses(world, good[:4] + struct.pack(">I", len(body)) + body)


def empty(world):
    refuses(world, structure("RequestMessage"), structure("RequestMessage", structure("RequestHeader")),
            structure("RequestMessage", QUERY_ITEM))


def twice(world):
    """Two requests in one packet are two answers."""
    with Connection(world.place) as connection:
        connection.send(message(QUERY_ITEM) * 2)
        assert statuses(connection.receive()) == statuses(connection.receive()) == [SUCCESS]


def after_an_error(world):
    """A well-framed message that is wrong inside leaves the connection usable, or ends it with an answer."""
    with Connection(world.place) as connection:
        assert statuses(connection.ask(message(batch_item(0x7FFF)))) == [FAILED]
        assert statuses(connection.ask(message(QUERY_ITEM))) == [SUCCESS]


def half_a_message(world):
    """Half a message, then silence, then the end: nobody waits for it."""
    good = message(batch_item(CREATE, *create_aes()))
    with Witness(world), contextlib.ExitStack() as stack:
        for part in (1, 4, 8, 9, len(good) // 2, len(good) - 1):
            connection = stack.enter_context(Connection(world.place))
            connection.send(good[:part])
        time.sleep(1)


def byte_by_byte(world):
    """A byte at a time is slow, and lawful."""
    with Witness(world), Connection(world.place) as connection:
        for byte in message(QUERY_ITEM):
            connection.send(bytes([byte]))
            time.sleep(0.002)
        assert statuses(connection.receive()) == [SUCCESS]


def a_byte_a_second(world):
    """Forty connections that send a byte now and then for three seconds."""
    good = message(batch_item(CREATE, *create_aes()))
    with Witness(world), contextlib.ExitStack() as stack:
        slow = [stack.enter_context(Connection(world.place)) for _ in range(40)]
        for second in range(3):
            for connection in slow:
                connection.send(good[second:second + 1])
            time.sleep(1)


def no_handshake(world):
    """Connections that never speak TLS, or break off in the middle."""
    with Witness(world), contextlib.ExitStack() as stack:
        for greeting in (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 512):
            plain = stack.enter_context(socket.create_connection((world.place.host, world.place.port)))
            plain.sendall(greeting)
        time.sleep(1)


def without_certificate(world):
    """A client without a certificate gets no answer."""
    context = ssl.create_default_context(cafile=world.place.authority)
    try:
        with socket.create_connection((world.place.host, world.place.port), timeout=10) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(message(QUERY_ITEM))
            assert tls.recv(8) == b""
    except (ssl.SSLError, ConnectionError):
        pass


def unread_answers(world):
    """A client that asks and never reads: its answers are not piled up without end."""
    request = message(*[QUERY_ITEM] * 100)
    with Witness(world), Connection(world.place) as connection:
        connection.tls.settimeout(2)
        try:
            for _ in range(2000):
                connection.send(request)
        except (TimeoutError, OSError):
            pass


def large(world):
    """A message of 64 MiB is refused before it is whole."""
    with Witness(world), Connection(world.place) as connection:
        head = b"\x42\x00\x78\x01" + struct.pack(">I", 64 << 20)
        try:
            connection.send(head)
            for _ in range(64):
                connection.send(b"\0" * (1 << 20))
            assert set(statuses(connection.receive())) == {FAILED}
        except (Closed, OSError):
            pass


def still_well(world):
    """After all that, a key is made and given out."""
    with Connection(world.place) as connection:
        made = connection.ask(message(batch_item(CREATE, *create_aes())))
        assert statuses(made) == [SUCCESS]
        identifier = text("UniqueIdentifier", made.get("BatchItem", "ResponsePayload", "UniqueIdentifier"))
        assert statuses(connection.ask(message(batch_item(GET, identifier)))) == [SUCCESS]


if __name__ == "__main__":
    suite.main([
        ("a wrong tag outside", outer_tag), ("a wrong type outside", outer_type), ("a wrong type inside", inner_type),
        ("wrong lengths", lengths), ("a length of 4 GiB", four_gibibytes), ("a depth bomb", depth),
        ("a batch count of a million", count_of_a_million), ("a million items", a_million_items),
        ("unknown operations and enumerations", unknown_numbers), ("invalid UTF-8", texts),
        ("padding that is not zero", padding), ("booleans of another value", booleans), ("trailing bytes", trailing),
        ("empty messages", empty), ("two messages in one packet", twice), ("a request after an error", after_an_error),
        ("half a message and silence", half_a_message), ("byte by byte", byte_by_byte),
        ("a byte a second", a_byte_a_second), ("no handshake", no_handshake),
        ("no client certificate", without_certificate), ("answers that nobody reads", unread_answers),
        ("a message of 64 MiB", large), ("the server is still well", still_well),
    ])
