//! As much DER as the vectors need around what PKCS #11 takes. Reading is strict: what is not DER is `None`.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// id-ecPublicKey. RFC 5480, section 2.1.1.
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// A tag, a length and a content.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap());
    } else {
        let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        out.push(0x80 | u8::try_from(bytes.len()).unwrap());
        out.extend(bytes);
    }
    out.extend(content);
    out
}

/// An OCTET STRING.
pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    tagged(OCTET_STRING, content)
}

/// An OBJECT IDENTIFIER, of its numbers with dots.
pub(crate) fn object_identifier(dotted: &str) -> Vec<u8> {
    let mut arcs = dotted.split('.').map(|arc| arc.parse::<u32>().unwrap());
    let (first, second) = (arcs.next().unwrap(), arcs.next().unwrap());
    let mut content = Vec::new();
    for arc in std::iter::once(40 * first + second).chain(arcs) {
        let before = (1..5).rev().map(|place| arc >> (7 * place)).skip_while(|rest| *rest == 0);
        content.extend(before.map(|rest| 0x80 | u8::try_from(rest & 0x7f).unwrap()));
        content.push(u8::try_from(arc & 0x7f).unwrap());
    }
    tagged(OBJECT_IDENTIFIER, &content)
}

/// SubjectPublicKeyInfo of a point on a named curve. RFC 5480, section 2.
pub(crate) fn public_key_info(params: &[u8], point: &[u8]) -> Vec<u8> {
    let algorithm = tagged(SEQUENCE, &[EC_PUBLIC_KEY, params].concat());
    tagged(SEQUENCE, &[algorithm, tagged(BIT_STRING, &[&[0], point].concat())].concat())
}

/// DigestInfo with its NULL. RFC 8017, section 9.2.
pub(crate) fn digest_info(hash: &str, digest: &[u8]) -> Vec<u8> {
    let algorithm = tagged(SEQUENCE, &[object_identifier(hash), tagged(NULL, &[])].concat());
    tagged(SEQUENCE, &[algorithm, octet_string(digest)].concat())
}

/// The content of one element with this tag, and what is behind it.
fn read(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(2)?;
    let (length, rest) = match *header {
        [found, length @ 0..=0x7f] if found == tag => (usize::from(length), rest),
        [found, 0x81] if found == tag => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length).checked_sub(0x80)? + 0x80, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A number that is not negative, without the zero that may stand before it.
fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, rest) = read(INTEGER, bytes)?;
    match content {
        [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => None,
        [0, number @ ..] => Some((number, rest)),
        number => Some((number, rest)),
    }
}

/// The two numbers of a signature, each as long as `length` or the longer of the two, if that is longer. RFC 3279,
/// section 2.2.3.
pub(crate) fn two_numbers(signature: &[u8], length: usize) -> Option<Vec<u8>> {
    let (content, []) = read(SEQUENCE, signature)? else { return None };
    let (r, rest) = number(content)?;
    let (s, []) = number(rest)? else { return None };
    let length = length.max(r.len()).max(s.len());
    let padded = |number: &[u8]| [vec![0; length - number.len()], number.to_vec()].concat();
    Some([padded(r), padded(s)].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_lengths() {
        let p256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        assert_eq!(object_identifier("1.2.840.10045.3.1.7"), p256);
        assert_eq!(object_identifier("1.3.132.0.10"), [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]);
        assert_eq!(octet_string(&[7; 200])[..3], [0x04, 0x81, 200]);
        assert_eq!(octet_string(&[7; 300])[..4], [0x04, 0x82, 0x01, 0x2c]);
    }

    #[test]
    fn signatures_are_read_strictly() {
        assert_eq!(two_numbers(&[0x30, 6, 2, 1, 5, 2, 1, 0], 2), Some(vec![0, 5, 0, 0]));
        assert_eq!(two_numbers(&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 9], 1), Some(vec![0x80, 9]));
        assert_eq!(two_numbers(&[0x30, 7, 2, 2, 1, 0x80, 2, 1, 9], 1), Some(vec![1, 0x80, 0, 9]));
        for wrong in [
            &[0x30, 6, 2, 1, 5, 2, 1][..],
            &[0x30, 6, 2, 1, 5, 2, 1, 0, 0],
            &[0x30, 7, 2, 1, 5, 2, 1, 0, 0],
            &[0x30, 6, 2, 1, 0x85, 2, 1, 0],
            &[0x30, 7, 2, 2, 0, 5, 2, 1, 0],
            &[0x30, 5, 2, 0, 2, 1, 0],
            &[0x30, 0x81, 6, 2, 1, 5, 2, 1, 0],
            &[0x31, 6, 2, 1, 5, 2, 1, 0],
        ] {
            assert_eq!(two_numbers(wrong, 1), None, "{wrong:02x?}");
        }
    }
}
