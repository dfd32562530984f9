"""MongoDB's libmongocrypt: the state machine that its drivers run to make and use data keys. The library
writes the requests and reads the answers; this file only carries them over TLS."""

import suite

import bson
from pymongocrypt.errors import MongoCryptError
from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback
from ttlv import Connection

PROVIDERS = {"kmip": {"endpoint": "localhost:5696"}}
DETERMINISTIC = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"


class Carrier(MongoCryptCallback):
    """Sends each message on a connection of its own, as the drivers do, and keeps the data keys."""

    def __init__(self, place):
        self.place, self.keys, self.messages = place, [], 0

    def kms_request(self, kms_context):
        self.messages += 1
        with Connection(self.place) as connection:
            connection.send(kms_context.message)
            while (needed := kms_context.bytes_needed) > 0:
                kms_context.feed(connection.tls.recv(needed))

    def insert_data_key(self, data_key):
        self.keys.append(bytes(data_key))
        return bson.decode(data_key)["_id"]

    def fetch_keys(self, filter):
        return list(self.keys)

    def collection_info(self, database, filter):
        return None

    def mark_command(self, database, cmd):
        raise NotImplementedError

    def bson_encode(self, doc):
        return bson.encode(doc)

    def close(self):
        pass


def encrypter(carrier):
    """A new one has no key in its cache, so that the server is asked."""
    return ExplicitEncrypter(carrier, MongoCryptOptions(PROVIDERS))


def round_trip(world, master_key, messages):
    """Makes a data key, and encrypts and decrypts with it in two fresh processes' stead."""
    carrier = Carrier(world.place)
    key = encrypter(carrier).create_data_key("kmip", master_key=master_key)
    assert carrier.messages == messages, carrier.messages
    plain = bson.encode({"v": "a field of a document"})
    secret = encrypter(carrier).encrypt(plain, DETERMINISTIC, key_id=bytes(key))
    assert b"field" not in secret
    assert bson.decode(encrypter(carrier).decrypt(secret)) == bson.decode(plain)
    return carrier


def registered_secret(world):
    """Register of 96 bytes of Secret Data, Activate, Get."""
    round_trip(world, None, 3)


def delegated(world):
    """Create, Activate, Encrypt; Decrypt to open the data key."""
    round_trip(world, {"delegated": True}, 3)


def existing_key(world):
    """A second data key under the first one's master key."""
    carrier = Carrier(world.place)
    encrypter(carrier).create_data_key("kmip")
    identifier = bson.decode(carrier.keys[0])["masterKey"]["keyId"]
    before = carrier.messages
    encrypter(carrier).create_data_key("kmip", master_key={"keyId": identifier})
    assert carrier.messages == before + 1, "Get alone was expected"


def rewrapped(world):
    """The data key moves from a key that the client holds to one that the server keeps."""
    carrier = Carrier(world.place)
    encrypter(carrier).create_data_key("kmip")
    moved = encrypter(carrier).rewrap_many_data_key({}, "kmip", {"delegated": True})
    assert bson.decode(moved)["v"][0]["masterKey"]["delegated"] is True


def unknown_key(world):
    """What the server refuses is understood by the library, with its words."""
    carrier = Carrier(world.place)
    error = suite.fails(MongoCryptError, encrypter(carrier).create_data_key, "kmip",
                        master_key={"keyId": "there is no such key"})
    assert "Result Status (1)" in str(error) and "Item Not Found" in str(error), error


if __name__ == "__main__":
    suite.main([
        ("a data key under a registered secret", registered_secret),
        ("a data key that the server encrypts", delegated),
        ("a data key under an existing master key", existing_key),
        ("a data key is wrapped anew", rewrapped),
        ("an unknown master key", unknown_key),
    ])
