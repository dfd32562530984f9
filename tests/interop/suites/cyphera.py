"""cyphera-kmip: a small client of KMIP 1.4 that says little and writes some fields in an order of its own.
The operations for which it sends tags of other meaning (Encrypt, Sign, Revoke and their like) must be
refused in a way that it understands."""

import suite
from suite import unique

from cyphera_kmip import Algorithm, KmipClient, KmipError, ObjectType


def client(world):
    place = world.place
    return KmipClient("localhost", place.certificate, place.key, port=place.port, ca_cert=place.authority)


def query(world):
    """A Query that asks for nothing may be refused; the connection stays."""
    kmip = client(world)
    try:
        kmip.query()
    except KmipError as error:
        assert error.result_status == 1, error
    assert kmip.discover_versions()["versions"]


def versions(world):
    found = [(one["major"], one["minor"]) for one in client(world).discover_versions()["versions"]]
    assert (1, 4) in found, found


def life(world):
    kmip, name = client(world), unique("cyphera life")
    made = kmip.create(name, "AES", 256)["unique_identifier"]
    assert kmip.locate(name) == [made]
    kmip.activate(made)
    assert len(kmip.fetch_key(name)) == 32
    suite.fails(KmipError, kmip.destroy, made)


def register(world):
    """The object comes before the template: every field is known by its tag."""
    kmip, name = client(world), unique("cyphera register")
    made = kmip.register(ObjectType.SymmetricKey, b"\x07" * 16, name, Algorithm.AES, 128)["unique_identifier"]
    assert kmip.get(made)["key_material"] == b"\x07" * 16
    kmip.destroy(made)
    suite.fails(KmipError, kmip.get, made)


def attributes(world):
    kmip = client(world)
    made = kmip.create(unique("cyphera attributes"))["unique_identifier"]
    assert "Cryptographic Algorithm" in kmip.get_attribute_list(made)
    kmip.add_attribute(made, "x-place", "cellar")
    assert "x-place" in kmip.get_attribute_list(made)
    kmip.modify_attribute(made, "x-place", "attic")
    # It names the attribute inside an Attribute structure, which the payload of KMIP 1.x does not have.
    suite.fails(KmipError, kmip.delete_attribute, made, "x-place")
    assert "x-place" in kmip.get_attribute_list(made)
    kmip.destroy(made)


def rekey(world):
    kmip, name = client(world), unique("cyphera rekey")
    made = kmip.create(name)["unique_identifier"]
    kmip.activate(made)
    replaced = kmip.re_key(made)["unique_identifier"]
    assert replaced != made and kmip.locate(name) == [replaced]


def archive(world):
    kmip = client(world)
    made = kmip.create(unique("cyphera archive"))["unique_identifier"]
    kmip.archive(made)
    suite.fails(KmipError, kmip.get, made)
    kmip.recover(made)
    assert kmip.get(made)["key_material"]
    kmip.destroy(made)


def check_and_lease(world):
    kmip = client(world)
    made = kmip.create(unique("cyphera check"))["unique_identifier"]
    assert kmip.check(made)["unique_identifier"] == made
    kmip.obtain_lease(made)
    kmip.destroy(made)


def other_tags(world):
    """Wrong tags are an error of the request, and leave the connection usable."""
    kmip = client(world)
    made = kmip.create(unique("cyphera tags"))["unique_identifier"]
    for call in (lambda: kmip.encrypt(made, b"data"), lambda: kmip.revoke(made, 1), lambda: kmip.mac(made, b"data")):
        suite.fails(KmipError, call)
    kmip.destroy(made)


def unknown(world):
    error = suite.fails(KmipError, client(world).get, "no such key")
    assert error.result_status == 1


if __name__ == "__main__":
    suite.main([
        ("query", query), ("discover versions", versions), ("a key's life", life),
        ("register with the object first", register), ("attributes", attributes), ("rekey", rekey),
        ("archive and recover", archive), ("check and lease", check_and_lease),
        ("tags of other meaning are refused", other_tags), ("an unknown identifier", unknown),
    ])
