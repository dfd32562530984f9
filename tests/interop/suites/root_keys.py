"""A customer who brings root keys by import tokens and has none of this project's code: what the keys wrap opens with
their bytes alone, by every door; and time passes, by a clock that is shifted."""

import base64
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import uuid

import import_token as customer
import pkcs11
import suite

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from kmip.core import enums
from kmip.pie.client import ProxyKmipClient

from report import Skip
from server import Server

HERE = pathlib.Path(__file__).resolve().parent.parent
KEY_REFUSED, NOT_FOUND = 18, 4
MINUTE, HOUR, DAY = 60, 3600, 86_400


class Hsm(customer.Hsm):
    """The command line, at a moment that may be to come."""

    def __init__(self, binary, directory, certificates):
        super().__init__(binary, directory)
        self.directory, self.certificates = directory, certificates
        self.plain = dict(self.environment)

    def at(self, seconds):
        """The same HSM so many seconds later."""
        clock = self.directory / "clock.so"
        if not clock.exists():
            if not shutil.which("cc"):
                raise Skip("there is no C compiler to make the clock with")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", clock, HERE / "clock.c", "-ldl"], check=True)
        later = object.__new__(Hsm)
        later.__dict__ = dict(self.__dict__)
        later.environment = {**self.plain, "LD_PRELOAD": str(clock), "CLOCK_SHIFT": str(seconds)}
        return later

    def file(self, content):
        path = self.directory / suite.unique("file").replace(" ", "-")
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        path.chmod(0o600)
        return str(path)

    def key(self, *arguments):
        return self("kms", "key", *arguments)

    def refuses(self, code, *arguments, exit_code=KEY_REFUSED):
        done = self.run("kms", *arguments)
        message = json.loads(done.stderr)["error"]["message"] if done.returncode else done.stdout
        assert done.returncode == exit_code and message.endswith(f"({code})"), (done.returncode, message)

    def brought(self, key):
        """A root key of these bytes, by the newest token."""
        return self.key("import", suite.unique("root"), "--import-token", sent(self, self.token(), customer.Gcm, key))


def sent(hsm, token, variant, key, nonce=None):
    """The file that a customer sends."""
    options = dict(option[2:].split("=", 1) for option in customer.sent(token, variant, key, nonce) if "=" in option)
    names = {"payload": "payload", "encrypted-nonce": "encryptedNonce", "iv": "iv",
             "encryption-algorithm": "encryptionAlgorithm"}
    return hsm.file({name: options[option] for option, name in names.items()})


def wrapping_key(key, version):
    """The key that a version's wrapped keys are under: docs/kms.md."""
    info = b"softhsm-rs WDEK" + uuid.UUID(version).bytes
    return HKDF(hashes.SHA256(), 32, None, info).derive(key)


def opened(wdek, key, *aad):
    """A wrapped key, opened by the root key's bytes: docs/kms.md says how."""
    envelope = json.loads(base64.b64decode(wdek, validate=True))
    assert list(envelope) == ["ciphertext", "iv", "version", "handle"] and envelope["version"] == "4.0.0", envelope
    iv, ciphertext = (base64.b64decode(envelope[name], validate=True) for name in ("iv", "ciphertext"))
    data = b"".join(struct.pack(">I", len(text.encode())) + text.encode() for text in aad)
    key = wrapping_key(key, envelope["handle"])
    return AESGCM(key).decrypt(iv, ciphertext, data), envelope["handle"]


def with_aad(*aad):
    return [part for text in aad for part in ("--aad", text)]


def it_comes_in_and_is_rotated_by_both_variants(hsm):
    for first, second in (customer.VARIANTS, customer.VARIANTS[::-1]):
        token, keys = hsm.token(), (os.urandom(32), os.urandom(32))
        name, aad = suite.unique("root"), ("disk", "größer", "")
        made = hsm.key("import", name, "--import-token", sent(hsm, token, first, keys[0]))
        assert made["imported"] and made["algorithmBitSize"] == 256 and not made["extractable"], made
        wrapped = hsm.key("wrap", name, *with_aad(*aad))
        dek = base64.b64decode(wrapped["plaintext"], validate=True)
        assert opened(wrapped["ciphertext"], keys[0], *aad) == (dek, made["keyVersion"]["id"])

        rotated = hsm.key("rotate", name, "--import-token", sent(hsm, token, second, keys[1]))
        unwrapped = hsm.key("unwrap", name, wrapped["ciphertext"], *with_aad(*aad))
        assert base64.b64decode(unwrapped["plaintext"]) == dek
        assert unwrapped["rewrappedKeyVersion"]["id"] == rotated["keyVersion"]["id"]
        rewrapped = hsm.key("rewrap", name, wrapped["ciphertext"], *with_aad(*aad))
        for answer in (unwrapped, rewrapped):
            assert opened(answer["ciphertext"], keys[1], *aad) == (dek, rotated["keyVersion"]["id"])
        hsm.refuses("KEY_ROTATION_NOT_PERMITTED", "key", "rotate", name, "--import-token",
                    sent(hsm, token, first, keys[0]))


def what_the_customer_wraps_is_unwrapped(hsm):
    """A wrapped key that was made elsewhere, by whoever has the bytes."""
    key, dek, iv = os.urandom(32), os.urandom(48), os.urandom(12)
    made = hsm.brought(key)
    data = struct.pack(">I", 3) + b"aad"
    envelope = {"ciphertext": base64.b64encode(AESGCM(wrapping_key(key, made["keyVersion"]["id"])).encrypt(iv, dek, data)).decode(),
                "iv": base64.b64encode(iv).decode(), "version": "4.0.0", "handle": made["keyVersion"]["id"]}
    wdek = base64.b64encode(json.dumps(envelope).encode()).decode()
    assert base64.b64decode(hsm.key("unwrap", made["id"], wdek, "--aad", "aad")["plaintext"]) == dek
    hsm.refuses("UNPROCESSABLE_CIPHERTEXT_ERR", "key", "unwrap", made["id"], wdek)


def another_key_or_other_data_open_nothing(hsm):
    key = os.urandom(32)
    made = hsm.brought(key)
    wdek = hsm.key("wrap", made["id"], "--aad", "ab", "--aad", "c")["ciphertext"]
    for wrong, aad in ((os.urandom(32), ("ab", "c")), (key, ("a", "bc")), (key, ()), (key, ("abc",))):
        suite.fails(InvalidTag, opened, wdek, wrong, *aad)


def what_was_not_encrypted_for_the_token_is_refused(hsm):
    old, name = hsm.token(), suite.unique("root")
    hsm.key("import", name, "--import-token", sent(hsm, old, customer.Gcm, os.urandom(32)))
    replayed = [sent(hsm, old, variant, os.urandom(32)) for variant in customer.VARIANTS]
    new = hsm.token()
    for variant, replay in zip(customer.VARIANTS, replayed):
        other_nonce = sent(hsm, new, variant, os.urandom(32), nonce=os.urandom(12))
        for action in (("import", "another"), ("rotate", name)):
            for code, path in (("INCORRECT_NONCE_IV_ERR", replay), ("INCORRECT_NONCE_ERR", other_nonce)):
                hsm.refuses(code, "key", *action, "--import-token", path, exit_code=customer.REFUSED)
    for late in (hsm.at(601),):
        late.refuses("IMPORT_TOKEN_EXPIRED_ERR", "key", "import", "another", "--import-token",
                     sent(hsm, new, customer.Gcm, os.urandom(32)), exit_code=customer.REFUSED)
    hsm.token(retrievals=1)
    done = hsm.run("import-token", "show")
    assert done.returncode == customer.REFUSED and "IMPORT_TOKEN_EXPIRED_ERR" in done.stderr, done.stderr


def where_tokens_are_enforced_nothing_comes_in_clear(hsm):
    key, clear = os.urandom(32), hsm.file(os.urandom(32))
    made = hsm.brought(key)
    hsm("kms", "policy", "set", "--enforce-token", "on")
    try:
        for action in (("import", "another"), ("rotate", made["id"])):
            hsm.refuses("KEY_CREATE_IMPORT_ACCESS_ERR", "key", *action, "--payload-file", clear)
        hsm.key("rotate", made["id"], "--import-token", sent(hsm, hsm.token(), customer.Cbc, os.urandom(32)))
    finally:
        hsm("kms", "policy", "set", "--enforce-token", "off")


class Door(Server):
    """The KMIP server on the HSM's token."""

    kind = "ours"

    def __init__(self, hsm):
        super().__init__(hsm.directory, hsm.certificates)
        self.hsm = hsm

    def command(self):
        pin, settings = self.hsm.file(b"123456\n"), self.directory / "server.toml"
        settings.write_text(f'[[kmip.client]]\nmatch = {{ cn = "interop" }}\npartition = "web"\npin_file = "{pin}"\n')
        certificates = self.hsm.certificates
        return [self.hsm.binary, "--home", self.hsm.plain["SOFTHSM_RS_HOME"], "serve", "--config", settings,
                "--kmip-listen", f"{self.place.host}:{self.place.port}",
                "--tls-cert", certificates / "server.pem", "--tls-key", certificates / "server.key",
                "--tls-client-ca", certificates / "ca.pem"]

    def client(self):
        place = self.place
        return ProxyKmipClient(hostname=place.host, port=place.port, cert=place.certificate, key=place.key,
                               ca=place.authority, ssl_version="PROTOCOL_TLS", config="none",
                               kmip_version=enums.KMIPVersion.KMIP_1_2)


def it_wraps_and_encrypts_by_kmip(hsm):
    key = os.urandom(32)
    made = hsm.brought(key)
    root = made["id"].replace("-", "")
    door = Door(hsm)
    door.start()
    try:
        with door.client() as client:
            mask = [enums.CryptographicUsageMask.ENCRYPT]
            other = client.create(enums.CryptographicAlgorithm.AES, 256, cryptographic_usage_mask=mask)
            specification = {
                "wrapping_method": enums.WrappingMethod.ENCRYPT,
                "encryption_key_information": {
                    "unique_identifier": root,
                    "cryptographic_parameters": {"block_cipher_mode": enums.BlockCipherMode.NIST_KEY_WRAP}},
                "encoding_option": enums.EncodingOption.NO_ENCODING}
            out = client.get(other, key_wrapping_specification=specification)
            assert keywrap.aes_key_unwrap(key, out.value) == client.get(other).value

            iv = os.urandom(16)
            cbc = {"cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
                   "block_cipher_mode": enums.BlockCipherMode.CBC, "padding_method": enums.PaddingMethod.PKCS5}
            ciphertext, _ = client.encrypt(b"passphrase", uid=root, cryptographic_parameters=cbc, iv_counter_nonce=iv)
            assert cbc_pad(key, iv, ciphertext) == b"passphrase"
            error = suite.fails(Exception, client.get, root)
            assert "KmipOperationFailure" in type(error).__name__, error
            # A suspended key does nothing by any door, at once.
            hsm.key("disable", root)
            error = suite.fails(Exception, client.encrypt, b"x", uid=root, cryptographic_parameters=cbc,
                                iv_counter_nonce=iv)
            assert "KmipOperationFailure" in type(error).__name__, error
            client.destroy(other)
    finally:
        assert door.stop(), door.tail()


def cbc_pad(key, iv, ciphertext):
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()


# In a process of its own, since a module lives as long as its process.
APPLICATION = """
import pkcs11, sys
module, label, iv, ciphertext = sys.argv[1], sys.argv[2], *map(bytes.fromhex, sys.argv[3:])
with pkcs11.Session(module, b"123456") as session:
    root, other, cbc = session.find(label), session.generate(), pkcs11.mechanism(pkcs11.CKM_AES_CBC_PAD, iv)
    print(session.value(other).hex())
    print(session.wrap(root, other, pkcs11.mechanism(pkcs11.CKM_AES_KEY_WRAP)).hex())
    print(session.encrypt(root, cbc, b"passphrase").hex())
    print(session.decrypt(root, cbc, ciphertext).hex())
    try:
        session.value(root)
    except pkcs11.Refused as refused:
        print(refused)
"""


def it_wraps_and_encrypts_by_pkcs11(hsm):
    module = pathlib.Path(hsm.binary).parent / "libsofthsm_rs.so"
    if not module.exists():
        module = module.with_name("libsofthsm-rs.so")
    key, iv = os.urandom(32), os.urandom(16)
    made = hsm.brought(key)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    own = encryptor.update(padder.update(b"the customer's") + padder.finalize()) + encryptor.finalize()
    command = [sys.executable, "-c", APPLICATION, module, made["name"], iv.hex(), own.hex()]
    environment = {**hsm.plain, "PYTHONPATH": str(pathlib.Path(__file__).parent)}

    def application():
        return subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True,
                              timeout=60)

    done = application()
    assert done.returncode == 0, done.stderr
    value, wrapped, encrypted, decrypted, refused = done.stdout.splitlines()
    assert keywrap.aes_key_unwrap(key, bytes.fromhex(wrapped)) == bytes.fromhex(value)
    assert cbc_pad(key, iv, bytes.fromhex(encrypted)) == b"passphrase"
    assert bytes.fromhex(decrypted) == b"the customer's"
    # CKR_ATTRIBUTE_SENSITIVE.
    assert refused == "C_GetAttributeValue: 0x11", refused
    # CKR_KEY_FUNCTION_NOT_PERMITTED, of C_WrapKey.
    hsm.key("disable", made["id"])
    done = application()
    assert done.returncode != 0 and "C_WrapKey: 0x68" in done.stderr, done.stderr


def a_suspended_key_is_enabled_half_a_minute_later(hsm):
    made = hsm.key("create", suite.unique("root"))
    hsm.key("disable", made["id"])
    hsm.refuses("REQ_TOO_EARLY_ERR", "key", "enable", made["id"])
    assert hsm.at(MINUTE).key("enable", made["id"])["state"] == 1
    wrapped = hsm.key("wrap", made["id"])
    assert hsm.key("unwrap", made["id"], wrapped["ciphertext"])["plaintext"] == wrapped["plaintext"]


def a_deleted_key_is_restored_within_thirty_days(hsm):
    made = hsm.key("create", suite.unique("root"), "--alias", "to-restore")
    wrapped = hsm.key("wrap", made["id"])
    hsm.key("delete", made["id"], "--yes")
    hsm.refuses("REQ_TOO_EARLY_ERR", "key", "restore", "to-restore")
    hsm.at(30 * DAY + HOUR).refuses("KEY_RESTORE_EXPIRED", "key", "restore", "to-restore")
    assert hsm.at(30 * DAY - HOUR).key("restore", "to-restore")["state"] == 1
    assert hsm.key("unwrap", "to-restore", wrapped["ciphertext"])["plaintext"] == wrapped["plaintext"]


def a_key_that_expired_is_not_restored(hsm):
    expires = subprocess.run(["date", "-u", "-d", "+1 day", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True)
    made = hsm.key("create", suite.unique("root"), "--expires", expires.stdout.strip())
    assert hsm.at(2 * DAY).key("show", made["id"])["state"] == 3
    hsm.key("delete", made["id"], "--yes")
    hsm.at(2 * DAY).refuses("KEY_EXPIRED_ERR", "key", "restore", made["id"])


def what_is_left_of_a_key_is_erased_four_hours_later(hsm):
    made = hsm.key("create", suite.unique("root"))
    hsm.key("delete", made["id"], "--yes")
    hsm.at(3 * HOUR).refuses("REQ_TOO_EARLY_ERR", "key", "purge", made["id"], "--yes")
    assert hsm.at(5 * HOUR).key("purge", made["id"], "--yes") == {"id": made["id"], "purged": True}
    for action in ("show", "restore"):
        hsm.refuses("KEY_NOT_FOUND_ERR", "key", action, made["id"], exit_code=NOT_FOUND)


def two_people_have_seven_days(hsm):
    made = hsm.key("create", suite.unique("root"), "--dual-auth")
    hsm.key("schedule-delete", made["id"], "--as", "alice")
    delete = ("key", "delete", made["id"], "--yes", "--as")
    hsm.refuses("AUTHORIZATIONS_NOT_MET", *delete, "alice")
    hsm.at(7 * DAY + HOUR).refuses("AUTHORIZATIONS_NOT_MET", *delete, "bob")
    assert hsm.at(7 * DAY - HOUR)("kms", *delete, "bob")["deletedBy"] == "bob"


def a_key_is_rotated_by_hand_once_an_hour(hsm):
    made = hsm.key("create", suite.unique("root"))
    hsm.key("rotate", made["id"])
    hsm.at(HOUR - MINUTE).refuses("KEY_ROTATION_NOT_PERMITTED", "key", "rotate", made["id"])
    hsm.at(HOUR + MINUTE).key("rotate", made["id"])
    assert len(hsm.key("versions", made["id"])) == 3


def the_timer_rotates_and_erases_what_is_due(hsm):
    made = hsm.key("create", suite.unique("root"), "--rotation", "2")
    idle = hsm.key("create", suite.unique("root"), "--rotation", "2")
    gone = hsm.key("create", suite.unique("root"))
    hsm.key("delete", gone["id"], "--yes")
    hsm.key("disable", idle["id"])
    wrapped = hsm.key("wrap", made["id"])

    def due(days):
        done = hsm.at(days * DAY)("kms", "rotate-due", "--as", "timer")
        return made["id"] in done["rotated"], idle["id"] in done["rotated"], gone["id"] in done["purged"]

    assert due(59) == (False, False, False)
    assert due(61) == (True, False, False)
    assert due(61) == (False, False, False)
    # A clock that jumps erases nothing: what is due is found so twice, a day apart.
    assert due(91) == (False, False, False)
    assert due(93) == (False, False, True)
    unwrapped = hsm.key("unwrap", made["id"], wrapped["ciphertext"])
    assert unwrapped["plaintext"] == wrapped["plaintext"] and "rewrappedKeyVersion" in unwrapped


CASES = (it_comes_in_and_is_rotated_by_both_variants, what_the_customer_wraps_is_unwrapped,
         another_key_or_other_data_open_nothing, what_was_not_encrypted_for_the_token_is_refused,
         where_tokens_are_enforced_nothing_comes_in_clear, it_wraps_and_encrypts_by_kmip,
         it_wraps_and_encrypts_by_pkcs11, a_suspended_key_is_enabled_half_a_minute_later,
         a_deleted_key_is_restored_within_thirty_days, a_key_that_expired_is_not_restored,
         what_is_left_of_a_key_is_erased_four_hours_later, two_people_have_seven_days,
         a_key_is_rotated_by_hand_once_an_hour, the_timer_rotates_and_erases_what_is_due)

if __name__ == "__main__":
    world = Hsm(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    suite.run(world, [(case.__name__, case) for case in CASES])
