//! Parameters of functions as bytes, by the PKCS #11 encoding of the KMIP Profiles 2.1: a CK_BYTE is a
//! byte, a CK_ULONG eight, big endian; counts and lengths are four and stand before what they count;
//! pointers that may be null have a byte before them. An output buffer is put in as that byte and its
//! length, and comes out as the byte, the length, and what is in it.

use cryptoki_sys::*;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::{Template, Type, Value, rules};
use hsm_core::secret::Wiped;

use super::answer::{Refusal, Result};
use crate::ttlv::enums::PKCS_11ReturnCode as Code;

/// More attributes than any template has.
const MOST_ATTRIBUTES: usize = 256;

/// Input parameters while they are read.
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// The parameters of a function.
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { rest: bytes }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Refusal::Codec)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Refusal::Codec)
    }

    /// A CK_BYTE or CK_BBOOL, or whether a pointer is there.
    pub fn flag(&mut self) -> Result<bool> {
        let [byte] = self.array()?;
        Ok(byte != 0)
    }

    /// A CK_ULONG.
    pub fn number(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A count or length.
    pub fn count(&mut self) -> Result<usize> {
        let count = self.array().map(u32::from_be_bytes)?;
        usize::try_from(count).map_err(|_| Refusal::Codec)
    }

    /// Bytes with their length before them.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.count()?;
        self.take(length)
    }

    /// An output buffer: its length, or `None` where the length is asked for.
    pub fn buffer(&mut self) -> Result<Option<usize>> {
        let there = self.flag()?;
        let length = self.count()?;
        Ok(there.then_some(length))
    }

    /// Refuses what is left.
    pub fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Refusal::Codec) }
    }

    /// A CK_MECHANISM. Parameters are read that are bytes, a number, or a CK_RSA_PKCS_PSS_PARAMS.
    pub fn mechanism(&mut self) -> Result<Mechanism> {
        let kind = self.number()?;
        if !self.flag()? {
            return Ok(Mechanism::plain(kind));
        }
        let mut inside = Input::new(self.bytes()?);
        let parameter = match kind {
            CKM_RSA_PKCS_PSS
            | CKM_SHA1_RSA_PKCS_PSS
            | CKM_SHA224_RSA_PKCS_PSS
            | CKM_SHA256_RSA_PKCS_PSS
            | CKM_SHA384_RSA_PKCS_PSS
            | CKM_SHA512_RSA_PKCS_PSS => {
                Parameter::Pss { hash: inside.number()?, mgf: inside.number()?, salt_len: inside.number()? }
            }
            CKM_AES_CBC | CKM_AES_CBC_PAD => Parameter::Iv(inside.bytes()?.to_vec()),
            _ => return Err(Code::MECHANISM_PARAM_INVALID.into()),
        };
        inside.end()?;
        Ok(Mechanism { kind, parameter })
    }

    /// An array of CK_ATTRIBUTE that have their values: a template.
    pub fn template(&mut self) -> Result<Template> {
        let attribute = |input: &mut Input<'_>| {
            let kind = input.number()?;
            let (value, length) = (input.flag()?, input.flag()?);
            let value = match rules::type_of(kind).unwrap_or(Type::Bytes) {
                Type::Bool if value => Value::Bool(input.flag()?),
                Type::Number if value => Value::Number(input.number()?),
                Type::Bytes | Type::BigInteger => {
                    let length = if length { input.count()? } else { 0 };
                    let secret = rules::may_be_secret(kind);
                    Value::byte_string(secret, if value { input.take(length)? } else { &[] })
                }
                _ => return Err(Code::ATTRIBUTE_VALUE_INVALID.into()),
            };
            Ok((kind, value))
        };
        self.attributes(attribute)
    }

    /// An array of CK_ATTRIBUTE without values, whose types are asked for; whether each has a buffer,
    /// and how long that is, the answer need not know.
    pub fn wanted(&mut self) -> Result<Vec<u64>> {
        let attribute = |input: &mut Input<'_>| {
            let kind = input.number()?;
            let (value, length) = (input.flag()?, input.flag()?);
            let is_array = !matches!(rules::type_of(kind), Some(Type::Bool | Type::Number | Type::Date));
            if length && is_array {
                input.count()?;
            }
            if value { Err(Refusal::Codec) } else { Ok(kind) }
        };
        self.attributes(attribute)
    }

    fn attributes<T>(&mut self, read: impl Fn(&mut Input<'a>) -> Result<T>) -> Result<Vec<T>> {
        let count = self.count()?;
        if count > MOST_ATTRIBUTES {
            return Err(Code::ARGUMENTS_BAD.into());
        }
        (0..count).map(|_| read(self)).collect()
    }
}

/// Output parameters while they are written. They may be secret.
#[derive(Default)]
pub struct Output {
    bytes: Wiped<Vec<u8>>,
}

impl Output {
    /// Room for a known length, so that nothing is left behind by growing.
    pub fn with_capacity(length: usize) -> Output {
        Output { bytes: Wiped::new(Vec::with_capacity(length)) }
    }

    /// Bytes as they are.
    pub fn raw(mut self, bytes: &[u8]) -> Output {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A CK_BYTE or CK_BBOOL.
    pub fn flag(self, flag: bool) -> Output {
        self.raw(&[flag.into()])
    }

    /// A CK_ULONG.
    pub fn number(self, number: u64) -> Output {
        self.raw(&number.to_be_bytes())
    }

    /// A count or length.
    pub fn count(self, count: usize) -> Output {
        self.raw(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes())
    }

    /// Text of a fixed length, padded by blanks.
    pub fn text(self, text: &str, length: usize) -> Output {
        let padded: Vec<u8> = text.bytes().chain(std::iter::repeat(b' ')).take(length).collect();
        self.raw(&padded)
    }

    /// A CK_VERSION.
    pub fn version(self, major: u8, minor: u8) -> Output {
        self.raw(&[major, minor])
    }

    /// The function's output.
    pub fn done(self) -> Option<Wiped<Vec<u8>>> {
        Some(self.bytes)
    }

    /// A list into a buffer for `room` of its numbers; its length alone where there is no buffer.
    pub fn list(numbers: &[u64], room: Option<usize>) -> Result<Option<Wiped<Vec<u8>>>> {
        let length = Output::default();
        match room {
            None => Ok(length.flag(false).count(numbers.len()).done()),
            Some(room) if room < numbers.len() => {
                let needed = length.flag(false).count(numbers.len()).done();
                Err(Refusal::Code(Code::BUFFER_TOO_SMALL, needed))
            }
            Some(_) => {
                let out = length.flag(true).count(numbers.len());
                Ok(numbers.iter().fold(out, |out, number| out.number(*number)).done())
            }
        }
    }

    /// A CK_ATTRIBUTE; without a value where it may not be read.
    pub fn attribute(self, kind: u64, value: Option<&Value>) -> Output {
        let out = self.number(kind);
        match value {
            None => out.flag(false).flag(false),
            Some(Value::Bool(flag)) => out.flag(true).flag(true).flag(*flag),
            Some(Value::Number(number)) => out.flag(true).flag(true).number(*number),
            Some(Value::Date(Some(date))) => out.flag(true).flag(true).raw(date),
            Some(Value::Numbers(numbers)) if !numbers.is_empty() => {
                let out = out.flag(true).flag(true).count(numbers.len());
                numbers.iter().fold(out, |out, number| out.number(*number))
            }
            Some(value) => match value.as_bytes() {
                Some(bytes) if !bytes.is_empty() => out.flag(true).flag(true).count(bytes.len()).raw(bytes),
                _ => out.flag(false).flag(false),
            },
        }
    }
}
