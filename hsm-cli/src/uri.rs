//! PKCS #11 URIs (RFC 7512): tokens and objects named by them, and what names each.

use cryptoki_sys::*;

use crate::cli::{Class, Hexadecimal, KeyChoice, TokenChoice};
use crate::describe::Summary;
use crate::failure::{Failure, Outcome, Result};

const SCHEME: &str = "pkcs11:";
/// What the module calls itself, as manufacturer and as model of its tokens.
const MODULE: &str = "softhsm-rs";

/// What a URI says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Uri {
    pub(crate) token: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) object: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) kind: Option<String>,
    /// Whether it names a manufacturer, model or library that this is not.
    is_foreign: bool,
}

/// Whether a name is a URI.
pub(crate) fn is_uri(name: &str) -> bool {
    name.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

impl Uri {
    /// Reads a URI. Its query says where a PIN and a module are, which other options say here; it is not asked.
    pub(crate) fn parse(text: &str) -> Result<Uri> {
        let wrong = |what: String| Failure::new(Outcome::Usage, format!("{text}: {what}"));
        let path = text.get(SCHEME.len()..).unwrap_or_default();
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let mut uri = Uri::default();
        let mut seen = Vec::new();
        for attribute in path.split(';').filter(|attribute| !attribute.is_empty()) {
            let (name, value) = attribute
                .split_once('=')
                .ok_or_else(|| wrong(format!("{attribute} is no attribute with a value")))?;
            if seen.contains(&name) {
                return Err(wrong(format!("{name} stands twice")));
            }
            seen.push(name);
            let bytes =
                decoded(value).ok_or_else(|| wrong(format!("{name} is not escaped as it should be")))?;
            let text = || String::from_utf8(bytes.clone()).map_err(|_| wrong(format!("{name} is no text")));
            match name {
                "token" => uri.token = Some(text()?),
                "serial" => uri.serial = Some(text()?),
                "object" => uri.object = Some(text()?),
                "id" => uri.id = Some(bytes),
                "type" => uri.kind = Some(text()?),
                "manufacturer" | "model" | "library-manufacturer" => uri.is_foreign |= text()? != MODULE,
                // Which slot a token is in, and the library's version, are not the token's own.
                "slot-id"
                | "slot-description"
                | "slot-manufacturer"
                | "library-description"
                | "library-version" => {}
                name => return Err(wrong(format!("there is no attribute {name}"))),
            }
        }
        Ok(uri)
    }

    /// Whether it may mean a token; what it leaves open, it does not restrict.
    pub(crate) fn means(&self, label: &str, serial: &str) -> bool {
        !self.is_foreign
            && self.token.as_deref().is_none_or(|wanted| wanted == label)
            && self.serial.as_deref().is_none_or(|wanted| wanted == serial)
    }

    fn names_token(&self) -> bool {
        self.token.is_some() || self.serial.is_some()
    }

    fn class(&self) -> Result<Option<Class>> {
        match self.kind.as_deref() {
            None => Ok(None),
            Some("public") => Ok(Some(Class::Public)),
            Some("private") => Ok(Some(Class::Private)),
            Some("secret-key") => Ok(Some(Class::Secret)),
            Some(other) => Err(Failure::new(Outcome::Usage, format!("keys have no type {other}"))
                .next("type is public, private or secret-key")),
        }
    }
}

/// Puts what URIs say of token and key into their places: either option may have one that says both.
pub(crate) fn resolve(token: &mut TokenChoice, choice: &mut KeyChoice) -> Result<()> {
    if let Some(text) = choice.label.take_if(|label| is_uri(label)) {
        let uri = Uri::parse(&text)?;
        if uri.names_token() && token.token.is_none() {
            token.token = Some(text);
        }
        apply(uri, choice)?;
    }
    if let Some(text) = token.token.as_deref().filter(|name| is_uri(name))
        && choice.label.is_none()
        && choice.id.is_none()
    {
        apply(Uri::parse(text)?, choice)?;
    }
    Ok(())
}

fn apply(uri: Uri, choice: &mut KeyChoice) -> Result<()> {
    choice.class = choice.class.or(uri.class()?);
    choice.label = choice.label.take().or(uri.object);
    choice.id = choice.id.take().or(uri.id.map(Hexadecimal));
    Ok(())
}

/// The URI of a token.
pub(crate) fn of_token(label: &str, serial: &str) -> String {
    format!("{SCHEME}token={};serial={}", encoded(label.as_bytes()), encoded(serial.as_bytes()))
}

/// The URI of an object on a token.
pub(crate) fn of_object(token: &str, object: &Summary, class: Option<u64>) -> String {
    let mut uri = token.to_owned();
    if let Ok(id) = hex::decode(&object.id)
        && !id.is_empty()
    {
        // Each byte escaped, as RFC 7512 advises.
        let escaped: String = id.iter().map(|byte| format!("%{byte:02X}")).collect();
        uri.push_str(&format!(";id={escaped}"));
    }
    if !object.label.is_empty() {
        uri.push_str(&format!(";object={}", encoded(object.label.as_bytes())));
    }
    let kind = match class {
        Some(CKO_PUBLIC_KEY) => "public",
        Some(CKO_PRIVATE_KEY) => "private",
        Some(CKO_SECRET_KEY) => "secret-key",
        Some(CKO_CERTIFICATE) => "cert",
        Some(CKO_DATA) => "data",
        _ => return uri,
    };
    format!("{uri};type={kind}")
}

/// Section 2.3, pk11-pchar: what needs no escape in a path.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:[]@!$'()*+,=&".contains(&byte)
}

fn encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| if is_plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        out.extend(hex::decode(digits).ok()?);
        rest = after;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_read_and_its_query_is_not_asked() {
        let text = "pkcs11:token=my%20token;serial=01;object=a%3Bb;id=%01%ff;type=private?pin-value=1234";
        let uri = Uri::parse(text).unwrap();
        assert_eq!(uri.token.as_deref(), Some("my token"));
        assert_eq!(uri.object.as_deref(), Some("a;b"));
        assert_eq!(uri.id.as_deref(), Some(&[1, 0xff][..]));
        assert!(uri.means("my token", "01") && !uri.means("my token", "02") && !uri.means("other", "01"));
    }

    #[test]
    fn what_p11tool_writes_is_taken() {
        let text = "pkcs11:model=softhsm-rs;manufacturer=softhsm-rs;serial=ab;token=web;id=%01;object=tls;type=public";
        assert!(Uri::parse(text).unwrap().means("web", "ab"));
        let other = "pkcs11:model=SoftHSM%20v2;token=web";
        assert!(!Uri::parse(other).unwrap().means("web", "ab"));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for text in [
            "pkcs11:token",
            "pkcs11:token=a;token=b",
            "pkcs11:colour=red",
            "pkcs11:token=%4",
            "pkcs11:token=%ff",
        ] {
            assert_eq!(Uri::parse(text).unwrap_err().outcome, Outcome::Usage, "{text}");
        }
    }

    #[test]
    fn names_come_back_from_their_uris() {
        for label in ["web", "my token", "a;b=c?d%e", "grün", "a/b"] {
            let uri = Uri::parse(&of_token(label, "01ab")).unwrap();
            assert_eq!((uri.token.as_deref(), uri.serial.as_deref()), (Some(label), Some("01ab")));
        }
    }

    #[test]
    fn either_option_may_say_both() {
        let choice =
            |label: Option<&str>| KeyChoice { label: label.map(str::to_owned), id: None, class: None };
        let all = "pkcs11:token=web;object=tls;type=private";
        let (mut token, mut key) = (TokenChoice { token: None }, choice(Some(all)));
        resolve(&mut token, &mut key).unwrap();
        assert_eq!((token.token.as_deref(), key.label.as_deref()), (Some(all), Some("tls")));
        assert_eq!(key.class, Some(Class::Private));
        let (mut token, mut key) = (TokenChoice { token: Some(all.to_owned()) }, choice(None));
        resolve(&mut token, &mut key).unwrap();
        assert_eq!(key.label.as_deref(), Some("tls"));
        let (mut token, mut key) = (TokenChoice { token: None }, choice(Some("pkcs11:type=data")));
        assert!(resolve(&mut token, &mut key).is_err());
    }
}
