"""What no client library says: batches, the identifier that one item leaves for the next, what happens after
an item that failed, and the limits that a client sets."""

import suite
from suite import unique

import ttlv
from report import Skip
from ttlv import (CONTINUE, CREATE, DESTROY, DISCOVER_VERSIONS, ENCRYPT, FAILED, GET, LOCATE, QUERY, STOP, SUCCESS,
                  UNDO, UNDONE, Connection, batch_item, boolean, create_aes, enumeration, integer, message, octets,
                  statuses, structure, text)

INVALID_MESSAGE, RESPONSE_TOO_LARGE, FEATURE_NOT_SUPPORTED, ITEM_NOT_FOUND = 4, 2, 8, 1


def ask(world, *items, **named):
    with Connection(world.place) as connection:
        return connection.ask(message(*items, **named))


def option(value):
    return [enumeration("BatchErrorContinuationOption", value)]


def located(world, name):
    attribute = ttlv.attribute("Name", structure("AttributeValue", text("NameValue", name), enumeration("NameType", 1)))
    answer = ask(world, batch_item(LOCATE, attribute))
    return [one.value for one in answer.find("BatchItem", "ResponsePayload").all("UniqueIdentifier")]


def header(world):
    """Version, time stamp and batch count of an answer, in this order."""
    for version in ((1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1)):
        if world.kind == "pykmip" and version == (2, 1):
            continue
        answer = ask(world, batch_item(QUERY, enumeration("QueryFunction", 1)), version=version)
        names = [one.name for one in answer.find("ResponseHeader").value]
        assert [one for one in names if one in ("ProtocolVersion", "TimeStamp", "BatchCount")] == \
            ["ProtocolVersion", "TimeStamp", "BatchCount"], names
        shown = answer.find("ResponseHeader", "ProtocolVersion")
        assert (shown.get("ProtocolVersionMajor"), shown.get("ProtocolVersionMinor")) == version
        assert statuses(answer) == [SUCCESS], answer


def unknown_version(world):
    """A version that the server does not speak is refused in a version that it does (1.4, section 6.1)."""
    for version in ((0, 9), (1, 99), (3, 0), (-1, 0)):
        answer = ask(world, batch_item(DISCOVER_VERSIONS), version=version)
        assert statuses(answer) == [FAILED], (version, answer)


def placeholder(world):
    """Create, then Get and Destroy without an identifier: they take the one before."""
    answer = ask(world, batch_item(CREATE, *create_aes(), identifier=b"1"), batch_item(GET, identifier=b"2"),
                 batch_item(DESTROY, identifier=b"3"), head=[boolean("BatchOrderOption", True)])
    assert statuses(answer) == [SUCCESS] * 3, answer
    made, got, destroyed = answer.all("BatchItem")
    identifier = made.get("ResponsePayload", "UniqueIdentifier")
    assert got.get("ResponsePayload", "UniqueIdentifier") == identifier
    assert destroyed.get("ResponsePayload", "UniqueIdentifier") == identifier
    assert [one.get("UniqueBatchItemID") for one in (made, got, destroyed)] == [b"1", b"2", b"3"]


def placeholder_ends(world):
    """It does not live on in the next request of the connection."""
    with Connection(world.place) as connection:
        made = connection.ask(message(batch_item(CREATE, *create_aes())))
        identifier = made.get("BatchItem", "ResponsePayload", "UniqueIdentifier")
        assert statuses(connection.ask(message(batch_item(GET)))) == [FAILED]
        assert statuses(connection.ask(message(batch_item(DESTROY, text("UniqueIdentifier", identifier))))) == [SUCCESS]


def many(world):
    """Fifty items are answered one by one and in order."""
    items = [batch_item(QUERY, enumeration("QueryFunction", 1), identifier=bytes([number])) for number in range(50)]
    answer = ask(world, *items)
    assert statuses(answer) == [SUCCESS] * 50
    assert [one.get("UniqueBatchItemID") for one in answer.all("BatchItem")] == [bytes([n]) for n in range(50)]
    assert answer.get("ResponseHeader", "BatchCount") == 50


def failing(name, how):
    """Creates, fails, creates: each with an identifier of its own."""
    first, last = name + " first", name + " last"
    items = [batch_item(CREATE, *create_aes(first), identifier=b"1"),
             batch_item(GET, text("UniqueIdentifier", "no such key"), identifier=b"2"),
             batch_item(CREATE, *create_aes(last), identifier=b"3")]
    return first, last, items, {"head": option(how) if how else []}


def stop(world):
    """Stop is the default: what came before stays, what follows is not answered."""
    for how in (STOP, None):
        first, last, items, named = failing(unique("stop"), how)
        answer = ask(world, *items, **named)
        assert statuses(answer) == [SUCCESS, FAILED], answer
        assert located(world, first) and not located(world, last)


def go_on(world):
    first, last, items, named = failing(unique("continue"), CONTINUE)
    answer = ask(world, *items, **named)
    assert statuses(answer) == [SUCCESS, FAILED, SUCCESS], answer
    assert located(world, first) and located(world, last)


def undo(world):
    """Undo takes back what came before, or is refused as a whole where the server cannot."""
    first, last, items, named = failing(unique("undo"), UNDO)
    answer = ask(world, *items, **named)
    assert not located(world, first) and not located(world, last)
    got = statuses(answer)
    assert got == [FAILED] or got[:2] == [UNDONE, FAILED], got


def batch_count(world):
    """The batch count of the header is the number of items."""
    for count in (0, 1, 3, 1_000_000, -1):
        if world.kind == "pykmip":
            raise Skip("PyKMIP's server does not compare them")
        answer = ask(world, *[batch_item(QUERY, enumeration("QueryFunction", 1))] * 2, count=count)
        assert statuses(answer) == [FAILED], (count, answer)
        assert answer.get("BatchItem", "ResultReason") == INVALID_MESSAGE, answer


def maximum_size(world):
    """An answer larger than the client takes is replaced by an error that is not."""
    item = batch_item(QUERY, *[enumeration("QueryFunction", number) for number in (1, 2, 3)])
    answer = ask(world, item, head=[integer("MaximumResponseSize", 256)])
    assert statuses(answer) == [FAILED], answer
    assert answer.get("BatchItem", "ResultReason") == RESPONSE_TOO_LARGE, answer
    assert statuses(ask(world, item, head=[integer("MaximumResponseSize", 1 << 20)])) == [SUCCESS]


def too_large_changes(world):
    """Where the answer was too large to send, a key was made all the same, or none: never half a one."""
    name = unique("too large")
    answer = ask(world, batch_item(CREATE, *create_aes(name)), head=[integer("MaximumResponseSize", 64)])
    assert FAILED in statuses(answer), answer
    assert len(located(world, name)) <= 1


def asynchronous(world):
    """Asking for an asynchronous answer gets one, or a plain one, or the reason why not."""
    answer = ask(world, batch_item(QUERY, enumeration("QueryFunction", 1)),
                 head=[boolean("AsynchronousIndicator", True)])
    (item,) = answer.all("BatchItem")
    if item.get("ResultStatus") == FAILED:
        assert item.get("ResultReason") == FEATURE_NOT_SUPPORTED, answer
    elif item.get("ResultStatus") != SUCCESS:
        assert item.get("AsynchronousCorrelationValue"), answer


def extension(world):
    """An extension that must be understood fails the item; another is passed over."""
    def extended(critical):
        inner = [text(0x42009D, "example"), boolean(0x420026, critical), structure(0x42009C)]
        item = structure("BatchItem", enumeration("Operation", QUERY),
                         structure("RequestPayload", enumeration("QueryFunction", 1)),
                         structure("MessageExtension", *inner))
        return statuses(ask(world, item))

    assert extended(False) == [SUCCESS]
    assert extended(True) == [FAILED]


def missing_identifiers(world):
    """Items of a batch that no identifier tells apart are answered in order or refused: not dropped."""
    answer = ask(world, *[batch_item(QUERY, enumeration("QueryFunction", 1))] * 2)
    assert statuses(answer) in ([SUCCESS, SUCCESS], [FAILED]), answer


def words(world):
    """Each failure says why, and names the operation."""
    for item in (batch_item(GET, text("UniqueIdentifier", "no such key")), batch_item(CREATE),
                 batch_item(ENCRYPT, octets("Data", b"data"))):
        (got,) = ask(world, item).all("BatchItem")
        assert got.get("ResultStatus") == FAILED and got.get("ResultMessage") and got.get("Operation"), got


if __name__ == "__main__":
    suite.main([
        ("every version's header", header), ("unknown versions", unknown_version), ("placeholder", placeholder),
        ("the placeholder ends with its request", placeholder_ends), ("fifty items", many), ("stop", stop),
        ("continue", go_on), ("undo", undo), ("batch count", batch_count), ("maximum response size", maximum_size),
        ("an answer too large to send", too_large_changes), ("asynchronous", asynchronous),
        ("message extension", extension), ("items without identifiers", missing_identifiers),
        ("failures say why", words),
    ])
