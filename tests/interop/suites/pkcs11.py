"""As much of PKCS #11 as a test needs, spoken to the module by its C interface: no wrapper of somebody else's is
between."""

import ctypes

CKF_RW_SESSION, CKF_SERIAL_SESSION, CKU_USER = 2, 4, 1
CKA_TOKEN, CKA_LABEL, CKA_VALUE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_VALUE_LEN = 1, 3, 0x11, 0x103, 0x162, 0x161
CKM_AES_KEY_GEN, CKM_AES_CBC_PAD, CKM_AES_KEY_WRAP = 0x1080, 0x1085, 0x2109
CKR_OK = 0

Word = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("kind", Word), ("value", ctypes.c_void_p), ("length", Word)]


class Mechanism(ctypes.Structure):
    _fields_ = [("kind", Word), ("parameter", ctypes.c_char_p), ("length", Word)]


class Refused(Exception):
    """A return value other than CKR_OK."""


def mechanism(kind, parameter=None):
    return ctypes.byref(Mechanism(kind, parameter, len(parameter or b"")))


def template(**values):
    """Attributes by their names without CKA_: bytes, truth values, numbers."""
    attributes = []
    for name, value in values.items():
        if isinstance(value, bool):
            value = ctypes.c_ubyte(value)
        elif isinstance(value, int):
            value = Word(value)
        else:
            value = ctypes.create_string_buffer(value, len(value))
        address = ctypes.cast(ctypes.pointer(value), ctypes.c_void_p)
        attribute = Attribute(globals()[f"CKA_{name}"], address, ctypes.sizeof(value))
        attribute.kept = value
        attributes.append(attribute)
    # The array copies the fields; what they point to must outlive it.
    array = (Attribute * len(attributes))(*attributes)
    array.kept = attributes
    return array


class Session:
    """A session on the first token, its user logged in."""

    def __init__(self, module, pin):
        self.library = ctypes.CDLL(str(module))
        self.call("C_Initialize", None)
        count, slots = Word(8), (Word * 8)()
        self.call("C_GetSlotList", ctypes.c_ubyte(1), slots, ctypes.byref(count))
        handle = Word()
        self.call("C_OpenSession", slots[0], Word(CKF_SERIAL_SESSION | CKF_RW_SESSION), None, None, ctypes.byref(handle))
        self.handle = handle
        self.call("C_Login", handle, Word(CKU_USER), pin, Word(len(pin)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("C_Finalize", None)

    def call(self, name, *arguments):
        answer = getattr(self.library, name)(*arguments)
        if answer != CKR_OK:
            raise Refused(f"{name}: {answer:#x}")

    def grown(self, name, *arguments):
        """A call that writes bytes, as long as they are."""
        out, length = ctypes.create_string_buffer(4096), Word(4096)
        self.call(name, *arguments, out, ctypes.byref(length))
        return out.raw[:length.value]

    def find(self, label):
        found = template(LABEL=label.encode())
        self.call("C_FindObjectsInit", self.handle, found, Word(len(found)))
        objects, count = (Word * 4)(), Word()
        self.call("C_FindObjects", self.handle, objects, Word(4), ctypes.byref(count))
        self.call("C_FindObjectsFinal", self.handle)
        assert count.value == 1, f"{count.value} objects are called {label}"
        return Word(objects[0])

    def generate(self):
        """A fresh AES key of this session's that may be read."""
        wanted = template(TOKEN=False, SENSITIVE=False, EXTRACTABLE=True, VALUE_LEN=32)
        key = Word()
        self.call("C_GenerateKey", self.handle, mechanism(CKM_AES_KEY_GEN), wanted, Word(len(wanted)),
                  ctypes.byref(key))
        return key

    def value(self, key, length=32):
        wanted = template(VALUE=bytes(length))
        self.call("C_GetAttributeValue", self.handle, key, wanted, Word(1))
        return ctypes.string_at(wanted[0].value, length)

    def encrypt(self, key, how, data):
        self.call("C_EncryptInit", self.handle, how, key)
        return self.grown("C_Encrypt", self.handle, data, Word(len(data)))

    def decrypt(self, key, how, data):
        self.call("C_DecryptInit", self.handle, how, key)
        return self.grown("C_Decrypt", self.handle, data, Word(len(data)))

    def wrap(self, wrapping, key, how):
        return self.grown("C_WrapKey", self.handle, how, wrapping, key)
