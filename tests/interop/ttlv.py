"""KMIP messages byte by byte, with the standard library alone: what no client library can be made to say.

TTLV is three bytes of tag, one of type, four of length and a value padded to eight bytes (KMIP 1.4,
section 9.1). `structure`, `integer` and their like give bytes; `decode` gives a tree of `Node`.
"""

import socket
import ssl
import struct
import time

STRUCTURE, INTEGER, LONG, BIG, ENUMERATION, BOOLEAN, TEXT, BYTES, DATE, INTERVAL = range(1, 11)

# Tags, by the names of the standard without blanks: KMIP 1.4, section 9.1.3.1.
TAGS = {
    "AsynchronousCorrelationValue": 0x420006, "AsynchronousIndicator": 0x420007, "Attribute": 0x420008,
    "AttributeIndex": 0x420009, "AttributeName": 0x42000A, "AttributeValue": 0x42000B,
    "Authentication": 0x42000C, "BatchCount": 0x42000D, "BatchErrorContinuationOption": 0x42000E,
    "BatchItem": 0x42000F, "BatchOrderOption": 0x420010, "BlockCipherMode": 0x420011,
    "Credential": 0x420023, "CredentialType": 0x420024, "CredentialValue": 0x420025,
    "CryptographicAlgorithm": 0x420028, "CryptographicLength": 0x42002A,
    "CryptographicParameters": 0x42002B, "CryptographicUsageMask": 0x42002C, "KeyBlock": 0x420040,
    "KeyFormatType": 0x420042, "KeyMaterial": 0x420043, "KeyValue": 0x420045, "MaximumItems": 0x42004F,
    "MaximumResponseSize": 0x420050, "MessageExtension": 0x420051, "Name": 0x420053, "NameType": 0x420054,
    "NameValue": 0x420055, "ObjectType": 0x420057, "Operation": 0x42005C, "PaddingMethod": 0x42005F,
    "ProtocolVersion": 0x420069, "ProtocolVersionMajor": 0x42006A, "ProtocolVersionMinor": 0x42006B,
    "QueryFunction": 0x420074, "RequestHeader": 0x420077, "RequestMessage": 0x420078,
    "RequestPayload": 0x420079, "ResponseHeader": 0x42007A, "ResponseMessage": 0x42007B,
    "ResponsePayload": 0x42007C, "ResultMessage": 0x42007D, "ResultReason": 0x42007E,
    "ResultStatus": 0x42007F, "RevocationReason": 0x420081, "RevocationReasonCode": 0x420082,
    "SymmetricKey": 0x42008F, "TemplateAttribute": 0x420091, "TimeStamp": 0x420092,
    "UniqueBatchItemID": 0x420093, "UniqueIdentifier": 0x420094, "Username": 0x420099,
    "Password": 0x4200A1, "Data": 0x4200C2, "IVCounterNonce": 0x42003D, "Attributes": 0x420125,
}
NAMES = {number: name for name, number in TAGS.items()}

CREATE, LOCATE, GET, GET_ATTRIBUTES, ACTIVATE, REVOKE, DESTROY = 1, 8, 10, 11, 18, 19, 20
QUERY, DISCOVER_VERSIONS, ENCRYPT, DECRYPT = 24, 30, 31, 32
SUCCESS, FAILED, PENDING, UNDONE = range(4)
CONTINUE, STOP, UNDO = 1, 2, 3


def item(tag, kind, value, length=None, padding=b"\0"):
    """One item. `length` lies about the value's length; `padding` about what fills it up."""
    number = TAGS[tag] if isinstance(tag, str) else tag
    head = number.to_bytes(3, "big") + bytes([kind]) + struct.pack(">I", len(value) if length is None else length)
    return head + value + padding * (-len(value) % 8)


def structure(tag, *parts):
    return item(tag, STRUCTURE, b"".join(parts))


def integer(tag, value):
    return item(tag, INTEGER, struct.pack(">i", value))


def enumeration(tag, value):
    return item(tag, ENUMERATION, struct.pack(">I", value))


def boolean(tag, value):
    return item(tag, BOOLEAN, struct.pack(">Q", int(value)))


def text(tag, value):
    return item(tag, TEXT, value.encode() if isinstance(value, str) else value)


def octets(tag, value):
    return item(tag, BYTES, value)


class Node:
    """An item that was decoded: `value` is a list of nodes, a number, a string or bytes."""

    def __init__(self, tag, kind, value):
        self.tag, self.kind, self.value = tag, kind, value
        self.name = NAMES.get(tag, hex(tag))

    def all(self, name):
        return [child for child in self.value if child.name == name]

    def find(self, *path):
        """The first item of each name on the way down, or None."""
        node = self
        for name in path:
            node = next((child for child in node.value if child.name == name), None)
            if node is None:
                return None
        return node

    def get(self, *path):
        found = self.find(*path)
        return None if found is None else found.value

    def __repr__(self):
        return f"{self.name}={self.value!r}"


def decode(data):
    """The one item that `data` is. Refuses what the standard forbids a server to send."""
    nodes = list(_items(data))
    if len(nodes) != 1:
        raise ValueError(f"{len(nodes)} items where one belongs")
    return nodes[0]


def _items(data):
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise ValueError("an item's head is cut off")
        tag, kind = int.from_bytes(data[at:at + 3], "big"), data[at + 3]
        length = struct.unpack(">I", data[at + 4:at + 8])[0]
        end = at + 8 + length + -length % 8
        value, padding = data[at + 8:at + 8 + length], data[at + 8 + length:end]
        if len(value) != length or len(padding) != -length % 8 or any(padding):
            raise ValueError(f"a bad length or padding in {NAMES.get(tag, hex(tag))}")
        yield Node(tag, kind, _value(kind, value))
        at = end


def _value(kind, value):
    if kind == STRUCTURE:
        return list(_items(value))
    if kind == TEXT:
        return value.decode()
    if kind == BYTES:
        return value
    if kind not in (INTEGER, LONG, BIG, ENUMERATION, BOOLEAN, DATE, INTERVAL, 11):
        raise ValueError(f"no such type: {kind}")
    return int.from_bytes(value, "big", signed=kind in (INTEGER, LONG, BIG, DATE))


def batch_item(operation, *payload, identifier=None):
    parts = [enumeration("Operation", operation)]
    if identifier is not None:
        parts.append(octets("UniqueBatchItemID", identifier))
    return structure("BatchItem", *parts, structure("RequestPayload", *payload))


def message(*items, version=(1, 4), count=None, head=(), after=()):
    """A request; `head` are header fields before the batch count, `after` those behind it."""
    versions = structure("ProtocolVersion", integer("ProtocolVersionMajor", version[0]),
                         integer("ProtocolVersionMinor", version[1]))
    number = integer("BatchCount", len(items) if count is None else count)
    return structure("RequestMessage", structure("RequestHeader", versions, *head, number, *after), *items)


def attribute(name, value):
    """An attribute of KMIP 1.x: its value is an item with the tag Attribute Value."""
    return structure("Attribute", text("AttributeName", name), value)


def create_aes(name=None, bits=256, mask=0x0C):
    """The payload of Create in KMIP 1.x."""
    attributes = [
        attribute("Cryptographic Algorithm", enumeration("AttributeValue", 3)),
        attribute("Cryptographic Length", integer("AttributeValue", bits)),
        attribute("Cryptographic Usage Mask", integer("AttributeValue", mask)),
    ]
    if name is not None:
        attributes.append(attribute("Name", structure(
            "AttributeValue", text("NameValue", name), enumeration("NameType", 1))))
    return [enumeration("ObjectType", 2), structure("TemplateAttribute", *attributes)]


class Closed(Exception):
    """The server closed the connection before it answered."""


class Connection:
    """One mutual TLS connection. The server's certificate names `localhost`."""

    def __init__(self, place, timeout=20):
        context = ssl.create_default_context(cafile=place.authority)
        context.load_cert_chain(place.certificate, place.key)
        plain = socket.create_connection((place.host, place.port), timeout=timeout)
        self.tls = context.wrap_socket(plain, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, data):
        self.tls.sendall(data)

    def receive(self):
        """The next answer. `Closed` where there is none; a time-out is an error."""
        return decode(self.receive_bytes())

    def receive_bytes(self):
        """The same, as it came."""
        try:
            head = self._exactly(8)
            return head + self._exactly(struct.unpack(">I", head[4:])[0])
        except (ConnectionError, ssl.SSLError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise Closed(str(error)) from error

    def ask(self, data):
        self.send(data)
        return self.receive()

    def _exactly(self, count):
        parts = bytearray()
        while len(parts) < count:
            part = self.tls.recv(count - len(parts))
            if not part:
                raise Closed("end of stream")
            parts += part
        return bytes(parts)


def statuses(answer):
    return [one.get("ResultStatus") for one in answer.all("BatchItem")]


def until(condition, seconds):
    """Waits until `condition` holds, and says whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
