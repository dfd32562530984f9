//! `kms key`: making keys, looking at them, giving out payloads; the rest is handed on.

use data_encoding::BASE64;
use hsm_core::kms::{Description, KeyRecord, RotationPolicy};
use hsm_core::service::kms::Filter;
use serde::Serialize;

use super::brought::Delivery;
use super::describe::{Described, DescribedVersion, kind, table};
use super::{Office, Opens, labels, life, place, policy, wrap};
use crate::cli::{CreateKey, ImportKey, KmsKey, ListKeys, Out, RotateKey, Told};
use crate::failure::{Failure, Outcome, Result};
use crate::output::{Output, printable};

pub(super) fn run(office: Opens<'_>, command: KmsKey, output: Output) -> Result<()> {
    match command {
        KmsKey::Create(options) => create(&office()?, options, output),
        KmsKey::Import(options) => import(office, options, output),
        KmsKey::List(options) => list(&office()?, &options, output),
        KmsKey::Show(named) => show(&office()?, &named.key, output),
        KmsKey::Versions(named) => versions(&office()?, &named.key, output),
        KmsKey::Update(options) => labels::update(&office()?, &options, output),
        KmsKey::Alias(alias) => labels::alias(&office()?, &alias, output),
        KmsKey::Wrap(options) => wrap::wrap(office, &options, output),
        KmsKey::Unwrap(options) => wrap::unwrap(office, &options, output),
        KmsKey::Rewrap(options) => wrap::rewrap(office, &options, output),
        KmsKey::Rotate(options) => rotate(office, &options, output),
        KmsKey::Registrations(registration) => labels::registrations(&office()?, &registration, output),
        KmsKey::Policy(key_policy) => policy::of_key(&office()?, &key_policy, output),
        KmsKey::Disable(named) => life::run(&office()?, &life::Step::Disable, &named.key, output),
        KmsKey::Enable(named) => life::run(&office()?, &life::Step::Enable, &named.key, output),
        KmsKey::ScheduleDelete(named) => life::run(&office()?, &life::Step::Schedule, &named.key, output),
        KmsKey::UnscheduleDelete(named) => life::run(&office()?, &life::Step::Unschedule, &named.key, output),
        KmsKey::Restore(named) => life::run(&office()?, &life::Step::Restore, &named.key, output),
        KmsKey::Delete { key, force, consent } => {
            life::run(&office()?, &life::Step::Delete { force, consent: &consent }, &key.key, output)
        }
        KmsKey::Purge { key, consent } => life::purge(&office()?, &key.key, &consent, output),
    }
}

/// Shows a key as it is now.
pub(super) fn shown(office: &Office, key: &KeyRecord, output: Output) -> Result<()> {
    let described = Described::of(key, office.now());
    output.result(&described, |page| described.page(page));
    Ok(())
}

fn description(told: Told, rotation: Option<RotationPolicy>) -> Description {
    Description {
        kind: kind(told.standard_key),
        name: told.name,
        description: told.description,
        expiration: told.expires,
        ring: told.ring,
        aliases: told.alias,
        tags: told.tag,
        dual_auth: told.dual_auth.then_some(true),
        rotation,
    }
}

fn create(office: &Office, options: CreateKey, output: Output) -> Result<()> {
    let rotation = options.rotation.map(|months| RotationPolicy::new(months, true)).transpose();
    let rotation = rotation.map_err(hsm_core::Error::from)?;
    let key = office.kms().create(description(options.told, rotation), None)?;
    shown(office, &key, output)
}

fn import(office: Opens<'_>, options: ImportKey, output: Output) -> Result<()> {
    // Before any PIN is asked for.
    let delivery = Delivery::read(&options.brought, options.base64, output)?;
    let office = office()?;
    let key = office.kms().create(description(options.told, None), delivery.material())?;
    shown(&office, &key, output)
}

fn rotate(office: Opens<'_>, options: &RotateKey, output: Output) -> Result<()> {
    let delivery = Delivery::read(&options.brought, options.base64, output)?;
    let office = office()?;
    let id = office.live(&options.key.key)?;
    let key = office.kms().rotate(&id, delivery.material())?;
    shown(&office, &key, output)
}

fn list(office: &Office, options: &ListKeys, output: Output) -> Result<()> {
    let mut filter = Filter {
        ring: options.ring.clone(),
        kind: options.kind.map(Into::into),
        search: options.search.clone(),
        offset: options.offset,
        limit: options.limit,
        ..Filter::default()
    };
    if !options.state.is_empty() {
        filter.states = options.state.iter().map(|state| (*state).into()).collect();
    }
    let listing = office.kms().list(&filter)?;
    let keys: Vec<_> = listing.keys.iter().map(|key| Described::of(key, office.now())).collect();
    output.result(&keys, |page| {
        if keys.is_empty() {
            page.line("There is no key that matches.");
            return;
        }
        table(page, &keys);
        if keys.len() < listing.total {
            page.line(&format!("{} of {}; --offset and --limit show the rest.", keys.len(), listing.total));
        }
    });
    Ok(())
}

fn show(office: &Office, key: &str, output: Output) -> Result<()> {
    let key = office.kms().key(&office.live(key)?)?;
    shown(office, &key, output)
}

fn versions(office: &Office, key: &str, output: Output) -> Result<()> {
    let key = office.kms().key(&office.live(key)?)?;
    let versions: Vec<_> = key.versions.iter().rev().map(DescribedVersion::of).collect();
    output.result(&versions, |page| {
        let row = |version: &DescribedVersion| {
            [version.id.clone(), version.creation_date.clone(), printable(&version.created_by)]
        };
        page.table(["VERSION", "CREATED", "BY"], &versions.iter().map(row).collect::<Vec<_>>());
    });
    Ok(())
}

/// A key with its payload.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    key: &'a Described,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
}

/// `kms read`.
pub(super) fn read(office: Opens<'_>, key: &str, out: &Out, output: Output) -> Result<()> {
    let place = place(out)?;
    let office = office()?;
    let (record, payload) = office.kms().read(&office.live(key)?)?;
    let Some(payload) = payload else { return Err(no_payload(&record)) };
    let key = Described::of(&record, office.now());
    match place {
        Some(place) => {
            place.save(payload.expose(), None)?;
            output.result(&key, |page| page.line(&format!("Saved in {}.", place.path().display())));
        }
        None => {
            let shown = Payload { key: &key, payload: Some(BASE64.encode(payload.expose())) };
            output.result(&shown, |page| page.line(shown.payload.as_deref().unwrap_or_default()));
        }
    }
    Ok(())
}

/// Key Protect answers such a key without its payload; here somebody asked for nothing else.
fn no_payload(key: &KeyRecord) -> Failure {
    if key.is_extractable() {
        return hsm_core::Error::from(hsm_core::kms::Reason::Deleted).into();
    }
    Failure::new(Outcome::KeyRefused, "a root key's material is not given out")
        .next("`softhsm-rs kms key wrap` and `unwrap` use it")
}
