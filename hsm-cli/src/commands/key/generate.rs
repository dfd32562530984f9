//! `key generate`.

use std::time::Duration;

use cryptoki_sys::*;
use hsm_core::hsm::Hsm;
use hsm_core::mechanism::{Mechanism, Parameter};
use hsm_core::object::{Template, Value};
use hsm_core::session::{Access, ObjectHandle};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Desk, list};
use crate::cli::Generate;
use crate::describe::Summary;
use crate::failure::Result;
use crate::key_type::KeyType;
use crate::output::Output;

/// 65537, as nearly everybody has it.
const PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];

pub(super) fn run(hsm: &Hsm, options: &Generate, output: Output) -> Result<()> {
    let desk = Desk::open(hsm, &options.access, Access::ReadWrite, output)?;
    let bar = progress(options, output);
    let mut made = Vec::new();
    for number in 1..=options.count {
        for object in generate(&desk, options, number)? {
            made.extend(Summary::of(&desk.session, object)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    output.result(&made, |page| list::table(page, &made));
    Ok(())
}

/// A sign of life on a terminal: a bar for many keys, a clock for a slow one.
fn progress(options: &Generate, output: Output) -> ProgressBar {
    let many = options.count > 1;
    if !output.is_chatty() || !(many || options.key_type.is_slow()) {
        return ProgressBar::hidden();
    }
    let form = if many { "{msg} {wide_bar} {pos}/{len} {eta}" } else { "{spinner} {msg} {elapsed}" };
    let bar = ProgressBar::new(options.count.into());
    // The forms above are valid; a plain bar would do as well.
    bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(options.key_type.to_string());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Makes one key or key pair, and answers its objects.
fn generate(desk: &Desk, options: &Generate, number: u32) -> Result<Vec<ObjectHandle>> {
    let label =
        if options.count == 1 { options.label.clone() } else { format!("{}-{number}", options.label) };
    let id = desk.id(options.id.as_ref())?;
    let common = || -> Template {
        vec![
            (CKA_TOKEN, Value::Bool(true)),
            (CKA_LABEL, Value::Bytes(label.clone().into_bytes())),
            (CKA_ID, Value::Bytes(id.clone())),
        ]
    };
    let secret = || -> Template {
        let mut secret = common();
        secret.push((CKA_PRIVATE, Value::Bool(true)));
        secret.push((CKA_SENSITIVE, Value::Bool(true)));
        secret.push((CKA_EXTRACTABLE, Value::Bool(options.extractable)));
        secret
    };
    let (mechanism, parameters) = recipe(options.key_type);
    let pair = matches!(options.key_type, KeyType::Rsa(_) | KeyType::Curve(_));
    if pair {
        let mut public = common();
        public.extend(parameters);
        let (public, private) = desk.session.generate_key_pair(&mechanism, public, secret())?;
        return Ok(vec![private, public]);
    }
    let mut template = secret();
    template.extend(parameters);
    Ok(vec![desk.session.generate_key(&mechanism, template)?])
}

/// The mechanism that makes such keys, and the attributes that say which. PKCS #11 3.2, sections
/// 6.1.4 (RSA), 6.3 (curves), 6.13.2 (AES) and 6.8.4 (generic secrets).
fn recipe(key_type: KeyType) -> (Mechanism, Template) {
    let (kind, template) = match key_type {
        KeyType::Rsa(bits) => (
            CKM_RSA_PKCS_KEY_PAIR_GEN,
            vec![
                (CKA_MODULUS_BITS, Value::Number(bits)),
                (CKA_PUBLIC_EXPONENT, Value::Bytes(PUBLIC_EXPONENT.to_vec())),
            ],
        ),
        KeyType::Curve(curve) => (curve.generator, vec![(CKA_EC_PARAMS, Value::Bytes(curve.params()))]),
        KeyType::Aes(bits) => (CKM_AES_KEY_GEN, vec![(CKA_VALUE_LEN, Value::Number(bits / 8))]),
        KeyType::Generic(bytes) => (CKM_GENERIC_SECRET_KEY_GEN, vec![(CKA_VALUE_LEN, Value::Number(bytes))]),
    };
    (Mechanism { kind, parameter: Parameter::None }, template)
}
