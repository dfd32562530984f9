"""PyKMIP's client in each version that it speaks, 1.0 to 2.0. What it does not say, or says only in some
versions, is skipped there with the reason."""

import hashlib
import hmac
import time
import warnings

import suite
from suite import fails, unique

warnings.simplefilter("ignore")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, keywrap, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: E402
from kmip.core import enums  # noqa: E402
from kmip.core.enums import (  # noqa: E402
    AttributeType, BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask,
    DerivationMethod, HashingAlgorithm, KeyFormatType, KMIPVersion, ObjectType, PaddingMethod, QueryFunction,
    ResultReason as Reason, RevocationReasonCode, State)
from kmip.core.factories.attributes import AttributeFactory  # noqa: E402
from kmip.core.objects import CurrentAttribute, NewAttribute  # noqa: E402
from kmip.core.primitives import TextString  # noqa: E402
from kmip.pie import objects  # noqa: E402
from kmip.pie.client import ProxyKmipClient  # noqa: E402
from kmip.pie.exceptions import KmipOperationFailure  # noqa: E402
from kmip.core.exceptions import OperationFailure  # noqa: E402
from report import Skip  # noqa: E402

VERSIONS = (KMIPVersion.KMIP_1_0, KMIPVersion.KMIP_1_1, KMIPVersion.KMIP_1_2, KMIPVersion.KMIP_1_3,
            KMIPVersion.KMIP_1_4, KMIPVersion.KMIP_2_0)
CBC = {"cryptographic_algorithm": Algorithm.AES, "block_cipher_mode": BlockCipherMode.CBC,
       "padding_method": PaddingMethod.PKCS5}
FACTORY = AttributeFactory()
# The client's two layers each have an exception for what a server refuses.
REFUSAL = (KmipOperationFailure, OperationFailure)
# In 2.0 one outcome got several names of its own, so that more than one is by the book.
NOT_FOUND = (Reason.ITEM_NOT_FOUND, Reason.OBJECT_NOT_FOUND, Reason.OBJECT_DESTROYED)
WRONG_STATE = (Reason.PERMISSION_DENIED, Reason.WRONG_KEY_LIFECYCLE_STATE, Reason.ILLEGAL_OPERATION)


def connect(world, version, name="client", **named):
    place = world.place.of(name)
    client = ProxyKmipClient(hostname=place.host, port=place.port, cert=place.certificate, key=place.key,
                             ca=place.authority, ssl_version="PROTOCOL_TLS", config="none",
                             kmip_version=version, **named)
    return client


def refused(reasons, call, *arguments, **named):
    error = fails(REFUSAL, call, *arguments, **named)
    assert error.reason in reasons, f"{error.reason}, not one of {reasons}"


def from_version(client, version, what):
    if client.kmip_version < version:
        raise Skip(f"{what} came with KMIP {version.value}")


def values(client, uid, name):
    """The values of one attribute."""
    return [one.attribute_value for one in client.get_attributes(uid, [name])[1]]


def locate(client, kind, value):
    return client.locate(attributes=[FACTORY.create_attribute(kind, value)])


def make(client, name=None, bits=256, masks=(Mask.ENCRYPT, Mask.DECRYPT), active=False):
    uid = client.create(Algorithm.AES, bits, name=name, cryptographic_usage_mask=list(masks))
    if active:
        client.activate(uid)
    return uid


def discard(client, *uids):
    for uid in uids:
        client.revoke(RevocationReasonCode.CESSATION_OF_OPERATION, uid)
        client.destroy(uid)


# Each case has a connected client and the world.

def discover(client, _world):
    from_version(client, KMIPVersion.KMIP_1_1, "DiscoverVersions")
    found = [(one.major, one.minor) for one in client.proxy.discover_versions().protocol_versions]
    assert {(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0)} <= set(found), found
    assert found == sorted(found, reverse=True), found


def query(client, _world):
    functions = [QueryFunction.QUERY_OPERATIONS, QueryFunction.QUERY_OBJECTS,
                 QueryFunction.QUERY_SERVER_INFORMATION, QueryFunction.QUERY_APPLICATION_NAMESPACES]
    answer = client.proxy.query(query_functions=functions)
    assert answer.result_status.value is enums.ResultStatus.SUCCESS, answer.result_message
    assert enums.Operation.CREATE in answer.operations and ObjectType.SYMMETRIC_KEY in answer.object_types
    assert answer.vendor_identification


def query_by_version(client, _world):
    """Nothing newer than the client's version: it would not know the number."""
    answer = client.proxy.query(query_functions=[QueryFunction.QUERY_OPERATIONS])
    newest = {KMIPVersion.KMIP_1_0: 28, KMIPVersion.KMIP_1_1: 30, KMIPVersion.KMIP_1_2: 41,
              KMIPVersion.KMIP_1_3: 41, KMIPVersion.KMIP_1_4: 43, KMIPVersion.KMIP_2_0: 53}
    newer = [one for one in answer.operations if one.value > newest[client.kmip_version]]
    assert not newer, newer


def create(client, _world):
    for bits in (128, 192, 256):
        uid = make(client, unique("create"), bits)
        key = client.get(uid)
        assert (key.cryptographic_algorithm, key.cryptographic_length) == (Algorithm.AES, bits)
        assert len(key.value) * 8 == bits and key.key_format_type is KeyFormatType.RAW
        client.destroy(uid)


def life(client, _world):
    uid = make(client, unique("life"))
    assert values(client, uid, "State")[0].value is State.PRE_ACTIVE
    client.activate(uid)
    assert values(client, uid, "State")[0].value is State.ACTIVE
    assert abs(values(client, uid, "Activation Date")[0].value - time.time()) < 60
    refused(WRONG_STATE, client.activate, uid)
    refused(WRONG_STATE, client.destroy, uid)
    client.revoke(RevocationReasonCode.CESSATION_OF_OPERATION, uid)
    assert values(client, uid, "State")[0].value is State.DEACTIVATED
    client.destroy(uid)
    refused(NOT_FOUND, client.get, uid)
    refused(NOT_FOUND, client.destroy, uid)


def compromise(client, _world):
    uid = make(client, unique("compromise"), active=True)
    client.revoke(RevocationReasonCode.KEY_COMPROMISE, uid, "seen in a drawer", int(time.time()) - 60)
    assert values(client, uid, "State")[0].value is State.COMPROMISED
    client.destroy(uid)


def names(client, world):
    name = unique("name")
    uid = make(client, name)
    assert locate(client, AttributeType.NAME, name) == [uid]
    if world.kind == "ours":
        fails(REFUSAL, make, client, name)
    client.destroy(uid)
    assert locate(client, AttributeType.NAME, name) == []
    again = make(client, name)
    assert locate(client, AttributeType.NAME, name) == [again]
    client.destroy(again)


def locate_many(client, _world):
    group = unique("locate")
    attribute = FACTORY.create_attribute(AttributeType.NAME, group)
    made = [make(client, group + str(number), 128) for number in range(3)]
    found = locate(client, AttributeType.CRYPTOGRAPHIC_LENGTH, 128)
    assert set(made) <= set(found)
    assert len(client.locate(maximum_items=2)) == 2
    assert client.locate(attributes=[attribute]) == []
    assert locate(client, AttributeType.UNIQUE_IDENTIFIER, made[1]) == [made[1]]
    today = [FACTORY.create_attribute(AttributeType.INITIAL_DATE, int(time.time()) + shift) for shift in (-60, 60)]
    assert set(made) <= set(client.locate(attributes=today))
    for uid in made:
        client.destroy(uid)


def attributes(client, _world):
    name = unique("attributes")
    uid = make(client, name)
    listed = client.get_attribute_list(uid)
    for wanted in ("Unique Identifier", "Name", "Object Type", "Cryptographic Algorithm", "Cryptographic Length",
                   "Cryptographic Usage Mask", "State", "Initial Date", "Last Change Date"):
        assert wanted in listed, f"{wanted} is missing in {listed}"
    asked = ["Cryptographic Length", "Object Type", "Cryptographic Algorithm"]
    got = client.get_attributes(uid, asked)[1]
    assert [one.attribute_name.value for one in got] == asked, got
    assert values(client, uid, "Cryptographic Usage Mask")[0].value == 12
    assert values(client, uid, "Name")[0].name_value.value == name
    client.destroy(uid)


def all_attributes(client, _world):
    """Every attribute of a key that the version has, asked for without names."""
    if client.kmip_version >= KMIPVersion.KMIP_1_3:
        raise Skip("the client cannot read attributes that KMIP 1.3 and later add to every key")
    if client.kmip_version == KMIPVersion.KMIP_1_0:
        raise Skip("the client reads a Key Format Type in digests, which came with KMIP 1.1")
    uid = make(client, unique("all"))
    got = client.get_attributes(uid)[1]
    assert {"State", "Name", "Unique Identifier"} <= {one.attribute_name.value for one in got}
    client.destroy(uid)


def modify(client, _world):
    before, after = unique("before"), unique("after")
    uid = make(client, before)
    if client.kmip_version < KMIPVersion.KMIP_2_0:
        client.modify_attribute(uid, attribute=FACTORY.create_attribute(AttributeType.NAME, after, index=0))
    else:
        make_value = FACTORY.value_factory.create_attribute_value
        client.modify_attribute(
            uid, current_attribute=CurrentAttribute(attribute=make_value(AttributeType.NAME, before)),
            new_attribute=NewAttribute(attribute=make_value(AttributeType.NAME, after)))
    assert locate(client, AttributeType.NAME, before) == []
    assert locate(client, AttributeType.NAME, after) == [uid]
    client.destroy(uid)


def delete(client, _world):
    name = unique("delete")
    uid = make(client, name)
    if client.kmip_version < KMIPVersion.KMIP_2_0:
        client.delete_attribute(uid, attribute_name="Name", attribute_index=0)
        refused((Reason.ITEM_NOT_FOUND, Reason.INVALID_FIELD), client.delete_attribute, uid, attribute_name="Name",
                attribute_index=0)
    else:
        value = FACTORY.value_factory.create_attribute_value(AttributeType.NAME, name)
        client.delete_attribute(uid, current_attribute=CurrentAttribute(attribute=value))
    assert locate(client, AttributeType.NAME, name) == []
    client.destroy(uid)


def set_sensitive(client, _world):
    from_version(client, KMIPVersion.KMIP_2_0, "SetAttribute")
    uid = make(client, unique("sensitive"))
    assert client.set_attribute(uid, attribute_name="Sensitive", attribute_value=True) == uid
    assert values(client, uid, "Sensitive")[0].value is True
    refused((Reason.SENSITIVE, Reason.PERMISSION_DENIED), client.get, uid)
    client.destroy(uid)


def read_only(client, _world):
    if client.kmip_version >= KMIPVersion.KMIP_2_0:
        raise Skip("shown for 1.x, where the client builds the attribute by its name")
    uid = make(client, unique("read only"))
    state = FACTORY.create_attribute(AttributeType.STATE, State.ACTIVE)
    fails(REFUSAL, client.modify_attribute, uid, attribute=state)
    assert values(client, uid, "State")[0].value is State.PRE_ACTIVE
    client.destroy(uid)


def key_pair(client, _world):
    public, private = client.create_key_pair(
        Algorithm.RSA, 2048, public_name=unique("public"), private_name=unique("private"),
        public_usage_mask=[Mask.VERIFY], private_usage_mask=[Mask.SIGN])
    shown, secret = client.get(public), client.get(private)
    assert isinstance(shown, objects.PublicKey) and isinstance(secret, objects.PrivateKey)
    assert shown.cryptographic_length == secret.cryptographic_length == 2048
    number = serialization.load_der_private_key(secret.value, None).public_key().public_numbers().n
    assert number.bit_length() == 2048
    refused(WRONG_STATE, client.revoke, RevocationReasonCode.CESSATION_OF_OPERATION, private)
    client.destroy(public)
    client.destroy(private)


def _rsa():
    return rsa.generate_private_key(65537, 2048)


def register_symmetric(client, _world):
    key = objects.SymmetricKey(Algorithm.AES, 128, bytes(range(16)), [Mask.ENCRYPT], unique("symmetric"))
    uid = client.register(key)
    assert client.get(uid) == key
    client.destroy(uid)


def register_pair(client, _world):
    pair = _rsa()
    encoding, private = serialization.Encoding.DER, serialization.PrivateFormat
    for form, shape in ((KeyFormatType.PKCS_8, private.PKCS8), (KeyFormatType.PKCS_1, private.TraditionalOpenSSL)):
        value = pair.private_bytes(encoding, shape, serialization.NoEncryption())
        key = objects.PrivateKey(Algorithm.RSA, 2048, value, form, [Mask.SIGN], unique("private"))
        uid = client.register(key)
        assert client.get(uid) == key, form
        client.destroy(uid)
    public = serialization.PublicFormat
    for form, shape in ((KeyFormatType.X_509, public.SubjectPublicKeyInfo), (KeyFormatType.PKCS_1, public.PKCS1)):
        value = pair.public_key().public_bytes(encoding, shape)
        key = objects.PublicKey(Algorithm.RSA, 2048, value, form, [Mask.VERIFY], unique("public"))
        uid = client.register(key)
        assert client.get(uid) == key, form
        client.destroy(uid)


def register_certificate(client, world):
    with open(world.place.certificate, "rb") as file:
        der = x509.load_pem_x509_certificate(file.read()).public_bytes(serialization.Encoding.DER)
    certificate = objects.X509Certificate(der, [Mask.VERIFY], unique("certificate"))
    uid = client.register(certificate)
    assert client.get(uid) == certificate
    assert uid in locate(client, AttributeType.CERTIFICATE_TYPE, enums.CertificateType.X_509)
    client.destroy(uid)


def register_secret(client, _world):
    secret = objects.SecretData(b"open sesame", enums.SecretDataType.PASSWORD, [Mask.VERIFY], unique("secret"))
    uid = client.register(secret)
    assert client.get(uid) == secret
    client.destroy(uid)


def register_opaque(client, _world):
    value = objects.OpaqueObject(b"\x00\xff" * 300, enums.OpaqueDataType.NONE, unique("opaque"))
    uid = client.register(value)
    assert client.get(uid) == value
    client.destroy(uid)


def register_split(client, _world):
    part = objects.SplitKey(
        cryptographic_algorithm=Algorithm.AES, cryptographic_length=128, key_value=bytes(16), name=unique("split"),
        cryptographic_usage_masks=[Mask.EXPORT], split_key_parts=3, key_part_identifier=1, split_key_threshold=2,
        split_key_method=enums.SplitKeyMethod.XOR)
    uid = client.register(part)
    got = client.get(uid)
    assert (got.value, got.split_key_parts, got.split_key_threshold) == (bytes(16), 3, 2)
    client.destroy(uid)


def wrapped(client, _world):
    from_version(client, KMIPVersion.KMIP_1_1, "the encoding option")
    if client.kmip_version >= KMIPVersion.KMIP_1_4:
        raise Skip("the client reads a wrapped key value as a structure, and it is a byte string")
    key, wrapping = make(client), make(client, masks=(Mask.WRAP_KEY, Mask.UNWRAP_KEY), active=True)
    specification = {
        "wrapping_method": enums.WrappingMethod.ENCRYPT,
        "encryption_key_information": {
            "unique_identifier": wrapping,
            "cryptographic_parameters": {"block_cipher_mode": BlockCipherMode.NIST_KEY_WRAP}},
        "encoding_option": enums.EncodingOption.NO_ENCODING}
    out = client.get(key, key_wrapping_specification=specification)
    assert keywrap.aes_key_unwrap(client.get(wrapping).value, out.value) == client.get(key).value
    specification["encryption_key_information"]["unique_identifier"] = key
    refused((*WRONG_STATE, Reason.INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK, Reason.INVALID_FIELD), client.get,
            wrapping, key_wrapping_specification=specification)
    client.destroy(key)
    discard(client, wrapping)


def derive(client, _world):
    seed = b"\x0b" * 32
    base = client.register(objects.SymmetricKey(Algorithm.HMAC_SHA256, 256, seed, [Mask.DERIVE_KEY], unique("base")))
    password = client.register(objects.SecretData(
        b"password", enums.SecretDataType.PASSWORD, [Mask.DERIVE_KEY], unique("password")))

    def one(source, method, parameters, length=256):
        return client.derive_key(ObjectType.SYMMETRIC_KEY, [source], method, parameters,
                                 cryptographic_length=length, cryptographic_algorithm=Algorithm.AES)

    sha256 = {"hashing_algorithm": HashingAlgorithm.SHA_256}
    made = [
        (one(password, DerivationMethod.PBKDF2, {"cryptographic_parameters": sha256, "salt": b"salt",
                                                 "iteration_count": 1000}),
         hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000, 32)),
        (one(base, DerivationMethod.HASH, {"cryptographic_parameters": sha256}), hashlib.sha256(seed).digest()),
        (one(base, DerivationMethod.NIST800_108_C, {"cryptographic_parameters": sha256, "derivation_data": b"use"}),
         hmac.new(seed, b"\0\0\0\1use", "sha256").digest()),
    ]
    for uid, expected in made:
        assert client.get(uid).value == expected
        client.destroy(uid)
    client.destroy(base)
    client.destroy(password)


def encrypt(client, _world):
    from_version(client, KMIPVersion.KMIP_1_2, "Encrypt")
    uid, plain, vector = make(client, active=True), b"seventeen bytes ..", bytes(range(16))
    modes = ({**CBC}, {"cryptographic_algorithm": Algorithm.AES, "block_cipher_mode": BlockCipherMode.CTR})
    for parameters in modes:
        secret, returned = client.encrypt(plain, uid, parameters, vector)
        assert secret != plain and returned is None
        assert client.decrypt(secret, uid, parameters, vector) == plain
    discard(client, uid)


def vector_of_the_server(client, _world):
    from_version(client, KMIPVersion.KMIP_1_2, "Encrypt")
    uid = make(client, active=True)
    secret, vector = client.encrypt(b"data", uid, {**CBC, "random_iv": True})
    assert len(vector) == 16
    assert client.decrypt(secret, uid, CBC, vector) == b"data"
    discard(client, uid)


def states_of_use(client, _world):
    """Pre-Active keys do nothing; deactivated ones decrypt and do not encrypt."""
    from_version(client, KMIPVersion.KMIP_1_2, "Encrypt")
    uid, vector = make(client), bytes(16)
    refused(WRONG_STATE, client.encrypt, b"data", uid, CBC, vector)
    client.activate(uid)
    secret, _ = client.encrypt(b"data", uid, CBC, vector)
    client.revoke(RevocationReasonCode.CESSATION_OF_OPERATION, uid)
    refused(WRONG_STATE, client.encrypt, b"data", uid, CBC, vector)
    if _world.kind == "ours":
        assert client.decrypt(secret, uid, CBC, vector) == b"data"
    client.destroy(uid)


def masks(client, _world):
    from_version(client, KMIPVersion.KMIP_1_2, "Encrypt")
    # What the client creates may always encrypt and decrypt; what it registers has the mask it says.
    uid = client.register(objects.SymmetricKey(Algorithm.AES, 256, bytes(range(32)), [Mask.ENCRYPT], unique("mask")))
    client.activate(uid)
    secret, _ = client.encrypt(b"data", uid, CBC, bytes(16))
    refused((*WRONG_STATE, Reason.INCOMPATIBLE_CRYPTOGRAPHIC_USAGE_MASK), client.decrypt, secret, uid, CBC, bytes(16))
    discard(client, uid)


def sign(client, _world):
    from_version(client, KMIPVersion.KMIP_1_2, "Sign")
    public, private = client.create_key_pair(
        Algorithm.RSA, 2048, public_usage_mask=[Mask.VERIFY], private_usage_mask=[Mask.SIGN])
    client.activate(private)
    client.activate(public)
    shown = client.get(public)
    load = serialization.load_der_public_key
    key = load(shown.value)
    for way, shape in ((PaddingMethod.PSS, padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)),
                       (PaddingMethod.PKCS1v15, padding.PKCS1v15())):
        parameters = {"padding_method": way, "cryptographic_algorithm": Algorithm.RSA,
                      "hashing_algorithm": HashingAlgorithm.SHA_256}
        signature = client.sign(b"message", private, parameters)
        key.verify(signature, b"message", shape, hashes.SHA256())
        verify = client.signature_verify
        assert verify(b"message", signature, public, parameters) is enums.ValidityIndicator.VALID
        assert verify(b"massage", signature, public, parameters) is enums.ValidityIndicator.INVALID
    discard(client, public, private)


def authenticate(client, _world):
    from_version(client, KMIPVersion.KMIP_1_2, "MAC")
    key = bytes(range(32))
    uid = client.register(objects.SymmetricKey(
        Algorithm.HMAC_SHA256, 256, key, [Mask.MAC_GENERATE], unique("mac")))
    client.activate(uid)
    _, code = client.mac(b"message", uid, Algorithm.HMAC_SHA256)
    assert code == hmac.new(key, b"message", "sha256").digest()
    discard(client, uid)


def rekey(client, world):
    if world.kind == "pykmip":
        raise Skip("PyKMIP's server has no ReKey")
    if client.kmip_version >= KMIPVersion.KMIP_2_0:
        raise Skip("the client sends a template attribute, which KMIP 2.0 does not have")
    name = unique("rekey")
    uid = make(client, name, active=True)
    replaced = client.rekey(uid, offset=0)
    assert replaced != uid and client.get(replaced).value != client.get(uid).value
    assert locate(client, AttributeType.NAME, name) == [replaced]
    discard(client, uid, replaced)


def check(client, world):
    if world.kind == "pykmip":
        raise Skip("PyKMIP's server has no Check")
    uid = make(client)
    assert client.check(uid, cryptographic_usage_mask=[Mask.ENCRYPT]) == uid
    client.destroy(uid)


def credentials(client, world):
    """A name and a password in the header, where no table of them exists, change nothing."""
    with connect(world, client.kmip_version, username="someone", password="secret") as other:
        uid = make(other)
        assert other.get(uid).value == client.get(uid).value
        client.destroy(uid)


def another_client(client, world):
    """Another client neither sees nor names what this one has."""
    name = unique("mine")
    uid = make(client, name)
    with connect(world, client.kmip_version, "other") as other:
        denied = (*NOT_FOUND, Reason.PERMISSION_DENIED)
        refused(denied, other.get, uid)
        refused(denied, other.destroy, uid)
        if world.kind == "ours":
            assert locate(other, AttributeType.NAME, name) == []
            theirs = make(other, name)
            other.destroy(theirs)
    client.destroy(uid)


def unknown(client, _world):
    refused(NOT_FOUND, client.get, "no such key")
    refused(NOT_FOUND, client.activate, "no such key")
    assert locate(client, AttributeType.UNIQUE_IDENTIFIER, "no such key") == []


def bad_length(client, _world):
    fails(REFUSAL, client.create, Algorithm.AES, 129)


CASES = [
    ("discover versions", discover), ("query", query), ("query by version", query_by_version), ("create", create),
    ("a key's life", life), ("compromise", compromise), ("names", names), ("locate", locate_many),
    ("attributes", attributes), ("all attributes", all_attributes), ("modify an attribute", modify),
    ("delete an attribute", delete), ("set an attribute", set_sensitive), ("read-only attributes", read_only),
    ("RSA pair", key_pair), ("register a symmetric key", register_symmetric), ("register a pair", register_pair),
    ("register a certificate", register_certificate), ("register secret data", register_secret),
    ("register opaque data", register_opaque), ("register a split key", register_split), ("get wrapped", wrapped),
    ("derive", derive), ("encrypt and decrypt", encrypt), ("a vector of the server's", vector_of_the_server),
    ("use by state", states_of_use), ("use by mask", masks), ("sign and verify", sign), ("mac", authenticate),
    ("rekey", rekey), ("check", check), ("credentials", credentials), ("another client", another_client),
    ("unknown identifiers", unknown), ("a length that no key has", bad_length),
]


def with_client(case, version):
    def run(world):
        with connect(world, version) as client:
            case(client, world)
    return run


if __name__ == "__main__":
    suite.main([(f"{version.value} {name}", with_client(case, version))
                for version in VERSIONS for name, case in CASES])
