//! TTLV: tags, types, and the bounded tree that messages are decoded into. KMIP 1.4, section 9.1.
