"""A customer of import tokens who has `cryptography` and none of this project's code: AES keys come in by both
variants, private keys by RSA-AES key wrap, what was not encrypted for the token is refused by its code, and the fixed vectors are met."""

import base64
import json
import os
import pathlib
import subprocess
import sys

import suite

from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

REFUSED = 17
# Key 00..1f, nonce 64..6f, and an initialisation vector of zeros.
KEY, NONCE = bytes(range(32)), bytes(range(0x64, 0x70))


class Hsm:
    """The command line on an HSM with one token."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.environment = {"SOFTHSM_RS_HOME": str(directory / "hsm"), "SOFTHSM_RS_PIN": "123456",
                            "SOFTHSM_RS_SO_PIN": "87654321"}
        self("init")
        self("token", "init", "web")

    def run(self, *arguments):
        return subprocess.run([self.binary, *arguments, "--json"], env=self.environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    def __call__(self, *arguments):
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refuses(self, code, *arguments):
        done = self.run(*arguments)
        assert done.returncode == REFUSED and code in done.stderr, (done.returncode, done.stderr)

    def token(self, retrievals=1):
        self("import-token", "create", "--retrievals", str(retrievals))
        return Token(self("import-token", "show"))


class Token:
    """An import token as a customer reads it."""

    def __init__(self, fields):
        self.key = serialization.load_pem_public_key(base64.b64decode(fields["payload"], validate=True))
        self.nonce = base64.b64decode(fields["nonce"], validate=True)
        assert self.key.key_size == 4096 and len(self.nonce) == 12, fields


class Gcm:
    """Key Protect's variant."""

    name, hash, iv_length = "RSAES_OAEP_SHA_256", hashes.SHA256, 12

    @staticmethod
    def encrypt(key, iv, nonce):
        return AESGCM(key).encrypt(iv, nonce, None)


class Cbc:
    """The variant of Hyper Protect Crypto Services."""

    name, hash, iv_length = "RSAES_OAEP_SHA_1", hashes.SHA1, 16

    @staticmethod
    def encrypt(key, iv, nonce):
        padder = padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return encryptor.update(padder.update(nonce) + padder.finalize()) + encryptor.finalize()


class RsaAes(Gcm):
    """Our own, for private keys."""

    name = "RSA_AES_KEY_WRAP_SHA_256"


VARIANTS = (Gcm, Cbc)


def sent(token, variant, key, nonce=None):
    """The options of `key import`."""
    oaep = rsa_padding.OAEP(rsa_padding.MGF1(variant.hash()), variant.hash(), None)
    return options_of(token, variant, token.key.encrypt(key, oaep), key, nonce)


def sent_private(token, der, bits=256, nonce=None, payload=None):
    """The options of `key import` for a private key in PKCS #8."""
    temporary = os.urandom(bits // 8)
    oaep = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    payload = payload or token.key.encrypt(temporary, oaep) + aes_key_wrap_with_padding(temporary, der)
    return options_of(token, RsaAes, payload, temporary, nonce)


def options_of(token, variant, payload, key, nonce):
    """With the nonce under a key."""
    iv = os.urandom(variant.iv_length)
    fields = {"payload": payload, "iv": iv, "encrypted-nonce": variant.encrypt(key, iv, nonce or token.nonce)}
    options = [f"--{name}={base64.b64encode(value).decode()}" for name, value in fields.items()]
    return ["key", "import", "--import-token", "--label", suite.unique("key"), *options,
            f"--encryption-algorithm={variant.name}"]


def check_value(key):
    """CKA_CHECK_VALUE of an AES key."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(bytes(16))[:3].hex()


def keys_come_in(hsm):
    token = hsm.token()
    for variant in VARIANTS:
        for length in (16, 24, 32):
            key = os.urandom(length)
            (made,) = hsm(*sent(token, variant, key))
            assert (made["size"], made["extractable"], made["sensitive"]) == (8 * length, False, True), made
            (shown,) = hsm("key", "show", "--id", made["id"])
            assert shown["attributes"]["CKA_CHECK_VALUE"] == check_value(key), shown


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def private_keys_come_in(hsm):
    token = hsm.token()
    keys = [rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 4096),
            ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP521R1()),
            ed25519.Ed25519PrivateKey.generate()]
    for key in keys:
        for bits in (128, 192, 256):
            private, public = hsm(*sent_private(token, pkcs8(key), bits))
            assert (private["class"], private["extractable"], private["sensitive"]) == ("private", False, True), private
            arguments = ("key", "show", "--id", public["id"], "--public-key")
            done = subprocess.run([hsm.binary, *arguments], env=hsm.environment, capture_output=True, timeout=60)
            shown = serialization.load_pem_public_key(done.stdout)
            assert shown.public_numbers() == key.public_key().public_numbers() if hasattr(shown, "public_numbers") \
                else shown.public_bytes_raw() == key.public_key().public_bytes_raw()


def a_private_key_needs_the_nonce(hsm):
    token = hsm.token()
    der = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    hsm.refuses("INCORRECT_NONCE_ERR", *sent_private(token, der, nonce=os.urandom(12)))
    hsm.refuses("INCORRECT_NONCE_IV_ERR", *sent_private(hsm.token(), der, payload=os.urandom(664)))
    # What was encrypted for the token before.
    hsm.refuses("INCORRECT_NONCE_IV_ERR", *sent_private(token, der))


def a_token_may_be_redeemed_again(hsm):
    options = sent(hsm.token(), Gcm, KEY)
    for _ in range(3):
        hsm(*options)


def another_nonce_is_refused(hsm):
    token = hsm.token()
    for variant in VARIANTS:
        hsm.refuses("INCORRECT_NONCE_ERR", *sent(token, variant, KEY, nonce=os.urandom(12)))


def the_token_before_is_refused(hsm):
    old = hsm.token()
    new = hsm.token()
    for variant in VARIANTS:
        hsm.refuses("INCORRECT_NONCE_IV_ERR", *sent(old, variant, KEY))
        hsm.refuses("INCORRECT_NONCE_ERR", *sent(new, variant, KEY, nonce=old.nonce))


def the_algorithm_selects_the_variant(hsm):
    token = hsm.token()
    for variant, other in (VARIANTS, VARIANTS[::-1]):
        options = sent(token, variant, KEY)[:-1]
        hsm.refuses("INCORRECT_NONCE_IV_ERR", *options, f"--encryption-algorithm={other.name}")


def a_token_is_retrieved_as_often_as_it_may_be(hsm):
    hsm.token(retrievals=2)
    assert hsm("import-token", "show")["remainingRetrievals"] == 0
    hsm.refuses("IMPORT_TOKEN_EXPIRED_ERR", "import-token", "show")


def the_vectors_are_met(_hsm):
    expected = {Gcm: "atnTud1F6dZkxcdaRMkgi+/UQ/L0mjO5TBqLvg==", Cbc: "WdV6Poy9IFv2s7+PFcZ0GQ=="}
    for variant in VARIANTS:
        made = variant.encrypt(KEY, bytes(variant.iv_length), NONCE)
        assert base64.b64encode(made).decode() == expected[variant], variant


CASES = (keys_come_in, private_keys_come_in, a_private_key_needs_the_nonce, a_token_may_be_redeemed_again, another_nonce_is_refused, the_token_before_is_refused,
         the_algorithm_selects_the_variant, a_token_is_retrieved_as_often_as_it_may_be, the_vectors_are_met)

if __name__ == "__main__":
    suite.run(Hsm(sys.argv[1], pathlib.Path(sys.argv[2])), [(case.__name__, case) for case in CASES])
