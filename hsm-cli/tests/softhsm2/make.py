#!/usr/bin/env python3
"""Makes the SoftHSM2 tokens beside this script anew, one with each back end, and what their keys answered.

Needs SoftHSM2 2.6.1, built with -DWITH_OBJECTSTORE_BACKEND_DB=ON for the second (Debian's is not), and openssl;
SOFTHSM2_MODULE and SOFTHSM2_UTIL name the module and softhsm2-util. The tests need neither: they read what is
here. User PIN 1234, SO PIN 5678.
"""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODULE = os.environ.get("SOFTHSM2_MODULE", "/usr/lib/softhsm/libsofthsm2.so")
MESSAGE = b"what SoftHSM2 signed"
BLOCKS = b"sixteen bytes 16sixteen bytes 32"
IV = bytes(range(16))

# PKCS #11 2.40: attributes, classes, key types, mechanisms.
(CLASS, TOKEN, PRIVATE, LABEL, APPLICATION, VALUE, OBJECT_ID) = (0, 1, 2, 3, 0x10, 0x11, 0x12)
CHECK_VALUE = 0x90
(CERTIFICATE_TYPE, ISSUER, SERIAL, TRUSTED, KEY_TYPE, SUBJECT, ID) = (0x80, 0x81, 0x82, 0x86, 0x100, 0x101, 0x102)
(SENSITIVE, ENCRYPT, DECRYPT, WRAP, UNWRAP, SIGN) = (0x103, 0x104, 0x105, 0x106, 0x107, 0x108)
(VERIFY, DERIVE, START_DATE, END_DATE) = (0x10A, 0x10C, 0x110, 0x111)
(MODULUS_BITS, PUBLIC_EXPONENT, VALUE_LEN, EXTRACTABLE) = (0x121, 0x122, 0x161, 0x162)
(PRIME, SUBPRIME, BASE, EC_PARAMS) = (0x130, 0x131, 0x132, 0x180)
(MODIFIABLE, COPYABLE, WRAP_TEMPLATE, ALLOWED) = (0x170, 0x171, 0x40000211, 0x40000600)
DATA, CERTIFICATE, DOMAIN = 0, 1, 6
RSA_GEN, EC_GEN, DES3_GEN, AES_GEN, GENERIC_GEN = 0, 0x1040, 0x131, 0x1080, 0x350
SHA256_RSA, ECDSA, AES_CBC, SHA256_HMAC = 0x40, 0x1041, 0x1082, 0x251
DSA_GEN, DSA_SHA1, DH_GEN, DH_DERIVE, DSA, DH = 0x10, 0x12, 0x20, 0x21, 1, 2
P256 = bytes.fromhex("06082a8648ce3d030107")
# RFC 5114, section 2.1, and yB of its appendix A.1.
P = bytes.fromhex(
    "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c0"
    "13ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0"
    "a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a4371")
Q = bytes.fromhex("f518aa8781a8df278aba4e7d64b7cb9d49462353")
G = bytes.fromhex(
    "a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f5504f213"
    "160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f531dbf0a0169b6a28a"
    "d662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5")
PEER = bytes.fromhex(
    "717a6cb053371ff4a3b932941c1e5663f861a1d6ad34ae66576dfb98f6c6cbf9ddd5a56c7833f6bcfdff095582ad868e"
    "440e8d09fd769e3ceccdc3d3b1e4cfa057776caaf9739b6a9fee8e7411f8d6dac09d6a4edb46cc2b5d5203090eae6126"
    "311e53fd2c14b574e6a3109a3da1be41bdceaa186f5ce06716a2b6a07b3c33fe")

ulong = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("type", ulong), ("value", ctypes.c_void_p), ("length", ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ulong), ("parameter", ctypes.c_void_p), ("length", ulong)]


kept = []


def raw(value):
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, int):
        return value.to_bytes(ctypes.sizeof(ulong), sys.byteorder)
    if isinstance(value, str):
        return value.encode()
    return value


def template(attributes):
    array = (Attribute * max(len(attributes), 1))()
    for place, (kind, value) in zip(array, attributes.items()):
        if isinstance(value, dict):
            inner, count = template(value)
            place.type, place.value = kind, ctypes.addressof(inner)
            place.length = count * ctypes.sizeof(Attribute)
        else:
            data = ctypes.create_string_buffer(raw(value), len(raw(value)))
            kept.append(data)
            place.type, place.value, place.length = kind, ctypes.addressof(data), len(raw(value))
    kept.append(array)
    return array, len(attributes)


def mechanism(kind, parameter=b""):
    data = ctypes.create_string_buffer(parameter, len(parameter))
    kept.append(data)
    return ctypes.byref(Mechanism(kind, ctypes.addressof(data) if parameter else None, len(parameter)))


class Session:
    def __init__(self, library, slot):
        self.library, self.handle = library, ulong()
        self.call("C_OpenSession", slot, 6, None, None, ctypes.byref(self.handle))
        self.call("C_Login", self.handle, 1, b"1234", 4)

    def call(self, name, *arguments):
        answer = getattr(self.library, name)(*arguments)
        if answer:
            raise SystemExit(f"{name}: {answer:#x}")

    def made(self, name, *arguments):
        handle = ulong()
        self.call(name, self.handle, *arguments, ctypes.byref(handle))
        return handle

    def create(self, attributes):
        return self.made("C_CreateObject", *template(attributes))

    def generate(self, kind, attributes):
        return self.made("C_GenerateKey", mechanism(kind), *template(attributes))

    def pair(self, kind, public, private):
        first, second = ulong(), ulong()
        self.call("C_GenerateKeyPair", self.handle, mechanism(kind), *template(public), *template(private),
                  ctypes.byref(first), ctypes.byref(second))
        return first, second

    def value(self, key, kind, length):
        value = ctypes.create_string_buffer(length)
        place = Attribute(kind, ctypes.addressof(value), length)
        self.call("C_GetAttributeValue", self.handle, key, ctypes.byref(place), 1)
        return value.raw.hex()

    def run(self, what, how, key, data):
        self.call(f"C_{what}Init", self.handle, how, key)
        out, length = ctypes.create_string_buffer(4096), ulong(4096)
        self.call(f"C_{what}", self.handle, data, len(data), out, ctypes.byref(length))
        return out.raw[:length.value].hex()


def common(label, number):
    return {TOKEN: True, LABEL: label, ID: bytes([number])}


def secret(label, number):
    return {**common(label, number), PRIVATE: True, SENSITIVE: True, EXTRACTABLE: False}


def fill(session, work):
    answers = {}
    _, rsa = session.pair(
        RSA_GEN,
        {**common("rsa", 1), MODULUS_BITS: 2048, PUBLIC_EXPONENT: b"\1\0\1", VERIFY: True, ENCRYPT: True, WRAP: False},
        {**secret("rsa", 1), SIGN: True, DECRYPT: True, UNWRAP: False, SUBJECT: b"0\0"})
    _, ec = session.pair(
        EC_GEN, {**common("ec", 2), EC_PARAMS: P256, VERIFY: True, ENCRYPT: False, WRAP: False},
        {**secret("ec", 2), SIGN: True, DECRYPT: False, UNWRAP: False, DERIVE: True})
    aes = session.generate(AES_GEN, {**secret("aes", 3), VALUE_LEN: 32, ENCRYPT: True, DECRYPT: True, WRAP: True,
                                     UNWRAP: False, SIGN: False, VERIFY: False,
                                     WRAP_TEMPLATE: {EXTRACTABLE: True}})
    session.generate(AES_GEN, {**common("open", 4), PRIVATE: True, SENSITIVE: False, EXTRACTABLE: True, VALUE_LEN: 16,
                               ALLOWED: raw(AES_CBC), COPYABLE: False,
                               START_DATE: b"20250101", END_DATE: b"20991231"})
    session.create({**common("public secret", 7), CLASS: 4, KEY_TYPE: 0x1F, PRIVATE: False, SENSITIVE: False,
                    EXTRACTABLE: True, VALUE: b"sixteen bytes 16", START_DATE: b"20250101", END_DATE: b"20991231"})
    des3 = session.generate(DES3_GEN, {**secret("des3", 5), ENCRYPT: True, DECRYPT: True})
    mac = session.generate(GENERIC_GEN, {**secret("mac", 6), VALUE_LEN: 32, SIGN: True, VERIFY: True})
    der = (work / "cert.der").read_bytes()
    name = (work / "name.der").read_bytes()
    session.create({TOKEN: True, CLASS: CERTIFICATE, CERTIFICATE_TYPE: 0, LABEL: "certificate", ID: b"\2",
                    SUBJECT: name, ISSUER: name, SERIAL: b"\2\1\7", VALUE: der})
    session.create({TOKEN: True, CLASS: DATA, PRIVATE: False, LABEL: "public note", APPLICATION: "notes",
                    OBJECT_ID: bytes.fromhex("06032a0304"), VALUE: b"for everybody", MODIFIABLE: False})
    session.create({TOKEN: True, CLASS: DATA, PRIVATE: True, LABEL: "private note", APPLICATION: "notes",
                    VALUE: b"for the user"})
    _, dsa = session.pair(DSA_GEN, {**common("dsa", 8), PRIME: P, SUBPRIME: Q, BASE: G, VERIFY: True},
                          {**secret("dsa", 8), SIGN: True})
    _, dh = session.pair(DH_GEN, {**common("dh", 9), PRIME: P, BASE: G}, {**secret("dh", 9), DERIVE: True})
    session.create({TOKEN: True, CLASS: DOMAIN, KEY_TYPE: DSA, LABEL: "group", PRIVATE: False,
                    PRIME: P, SUBPRIME: Q, BASE: G})
    # What softhsm-rs does not take.
    session.create({TOKEN: True, CLASS: DOMAIN, KEY_TYPE: 1, LABEL: "parameters", PRIVATE: False,
                    PRIME: b"\x17", SUBPRIME: b"\x0b", BASE: b"\x02"})
    answers["rsa signature"] = session.run("Sign", mechanism(SHA256_RSA), rsa, MESSAGE)
    answers["ec signature"] = session.run("Sign", mechanism(ECDSA), ec, bytes(range(32)))
    answers["aes ciphertext"] = session.run("Encrypt", mechanism(AES_CBC, IV), aes, BLOCKS)
    answers["mac"] = session.run("Sign", mechanism(SHA256_HMAC), mac, MESSAGE)
    answers["dsa signature"] = session.run("Sign", mechanism(DSA_SHA1), dsa, MESSAGE)
    shared = session.made("C_DeriveKey", mechanism(DH_DERIVE, PEER), dh, *template(
        {CLASS: 4, KEY_TYPE: 0x1F, VALUE_LEN: 32, SENSITIVE: False, EXTRACTABLE: True}))
    answers["dh secret"] = session.value(shared, VALUE, 32)
    answers["des3 check value"] = session.value(des3, CHECK_VALUE, 3)
    return answers


def main():
    work = pathlib.Path(tempfile.mkdtemp())
    run = lambda *command: subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    run("openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", str(work / "key.pem"), "-set_serial", "7",
        "-subj", "/CN=old server", "-days", "36500", "-outform", "DER", "-out", str(work / "cert.der"))
    (work / "name.der").write_bytes(bytes.fromhex("301531133011060355040 30c0a6f6c6420736572766572".replace(" ", "")))
    backend = sys.argv[1] if len(sys.argv) > 1 else None
    if backend is None:
        # SoftHSM2 reads its configuration once in a process.
        for backend in ("file", "db"):
            subprocess.run([sys.executable, __file__, backend], check=True)
        return
    tokens = HERE / backend
    shutil.rmtree(tokens, ignore_errors=True)
    tokens.mkdir()
    (work / "conf").write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = {backend}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(work / "conf")
    subprocess.run([os.environ.get("SOFTHSM2_UTIL", "softhsm2-util"), "--init-token", "--free", "--label", "old", "--pin", "1234", "--so-pin", "5678",
                    "--module", MODULE], check=True, stdout=subprocess.DEVNULL)
    library = ctypes.CDLL(MODULE)
    library.C_Initialize(None)
    slots, count = (ulong * 8)(), ulong(8)
    library.C_GetSlotList(ctypes.c_ubyte(1), slots, ctypes.byref(count))
    answers = fill(Session(library, slots[0]), work)
    (HERE / f"{backend}.json").write_text(json.dumps(answers, indent=2) + "\n")
    library.C_Finalize(None)
    shutil.rmtree(work)
    for lock in tokens.rglob("*.lock"):
        lock.unlink()


if __name__ == "__main__":
    main()
