//! `key`: list, generate, import, show, delete; and what they share: the session on a token, and the choice
//! of keys in it.

use std::sync::Arc;

use cryptoki_sys::*;
use hsm_core::hsm::Hsm;
use hsm_core::import_token::is_unique_id;
use hsm_core::object::{Template, Value};
use hsm_core::secret::Secret;
use hsm_core::session::{Access, ObjectHandle, Role, Session};

use super::{Token, confirm, quoted};
use crate::cli::{self, Class, Hexadecimal, KeyAccess, KeyChoice, KeyView};
use crate::describe;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::pin::Source;
use crate::uri;

mod delete;
mod generate;
mod import;
mod list;
mod show;

/// The length of a CKA_ID that the user did not choose, in bytes.
const ID: usize = 8;

pub(super) fn run(hsm: &Hsm, mut command: cli::Key, output: Output) -> Result<()> {
    match &mut command {
        cli::Key::List { view, choice, .. } | cli::Key::Show { view, choice, .. } => {
            uri::resolve(&mut view.access.token, choice)?;
        }
        cli::Key::Delete { access, choice, .. } => uri::resolve(&mut access.token, choice)?,
        cli::Key::Generate(_) | cli::Key::Import(_) => {}
    }
    match command {
        cli::Key::List { view, choice, all } => list::run(hsm, &view, &choice, all, output),
        cli::Key::Generate(options) => generate::run(hsm, &options, output),
        cli::Key::Import(options) => import::run(hsm, &options, output),
        cli::Key::Show { view, choice, public_key: true } => show::export(hsm, &view, &choice, output),
        cli::Key::Show { view, choice, public_key: false } => show::run(hsm, &view, &choice, output),
        cli::Key::Delete { access, choice, all, consent } => {
            let chosen = delete::Chosen { access: &access, choice: &choice, all };
            delete::run(hsm, &chosen, &consent, output)
        }
    }
}

/// A session on a token, its user logged in unless public objects alone are wanted. Dropping
/// it closes it, and so logs out.
pub(super) struct Desk {
    token: Token,
    pub(super) session: Arc<Session>,
}

impl Desk {
    pub(super) fn open(hsm: &Hsm, access: &KeyAccess, mode: Access, output: Output) -> Result<Desk> {
        let token = Token::choose(hsm, &access.token)?;
        let pin = Source::user(&token.label(), access.pin_file.as_deref()).existing(output)?;
        Desk::enter(token, &pin, mode)
    }

    /// With a PIN that is known.
    pub(super) fn enter(token: Token, pin: &Secret, mode: Access) -> Result<Desk> {
        let session = token.partition.open_session(mode)?;
        let desk = Desk { token, session };
        desk.session.login(Role::User, pin.expose())?;
        Ok(desk)
    }

    /// To look at objects: public ones alone, or after login.
    fn view(hsm: &Hsm, view: &KeyView, output: Output) -> Result<Desk> {
        match view.public {
            true => Desk::open_public(hsm, &view.access),
            false => Desk::open(hsm, &view.access, Access::ReadOnly, output),
        }
    }

    /// Without login.
    pub(super) fn open_public(hsm: &Hsm, access: &KeyAccess) -> Result<Desk> {
        let token = Token::choose(hsm, &access.token)?;
        let session = token.partition.open_session(Access::ReadOnly)?;
        Ok(Desk { token, session })
    }

    /// The CKA_ID that was chosen, or a random one.
    pub(super) fn id(&self, chosen: Option<&Hexadecimal>) -> Result<Vec<u8>> {
        if let Some(id) = chosen {
            return Ok(id.0.clone());
        }
        let mut id = vec![0; ID];
        self.session.random(&mut id)?;
        Ok(id)
    }

    /// All objects that match, in the order in which the core finds them.
    pub(super) fn find(&self, template: Template) -> Result<Vec<ObjectHandle>> {
        const AT_ONCE: usize = 256;
        self.session.find_init(template)?;
        let mut found = Vec::new();
        loop {
            let more = self.session.find(AT_ONCE)?;
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        self.session.find_final()?;
        // What the import token shows of itself is no key of the user's: `import-token` has its commands.
        found.retain(|handle| !self.is_import_token(*handle));
        Ok(found)
    }

    fn is_import_token(&self, handle: ObjectHandle) -> bool {
        let Ok(view) = self.session.view(handle) else { return false };
        let id = view.attribute(CKA_UNIQUE_ID).ok().and_then(Value::as_bytes);
        id.and_then(|id| std::str::from_utf8(id).ok()).is_some_and(is_unique_id)
    }

    /// The chosen keys; at least one.
    fn chosen(&self, choice: &KeyChoice) -> Result<Vec<ObjectHandle>> {
        let mut found = Vec::new();
        for class in classes(choice) {
            found.extend(self.find(template(choice, Some(class)))?);
        }
        if found.is_empty() {
            let message = format!("token {} has no such key", quoted(&self.token.label()));
            return Err(
                Failure::new(Outcome::NotFound, message).next("`softhsm-rs key list` shows what it has")
            );
        }
        Ok(found)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.token.partition.close_session(&self.session);
    }
}

/// The classes of keys that a choice includes, in the order they are listed.
fn classes(choice: &KeyChoice) -> Vec<u64> {
    match choice.class {
        Some(Class::Public) => vec![CKO_PUBLIC_KEY],
        Some(Class::Private) => vec![CKO_PRIVATE_KEY],
        Some(Class::Secret) => describe::SECRETS.to_vec(),
        None => [&[CKO_PRIVATE_KEY, CKO_PUBLIC_KEY], &describe::SECRETS[..]].concat(),
    }
}

fn template(choice: &KeyChoice, class: Option<u64>) -> Template {
    let mut template = Template::new();
    template.extend(class.map(|class| (CKA_CLASS, Value::Number(class))));
    template.extend(choice.label.as_ref().map(|label| (CKA_LABEL, Value::Bytes(label.clone().into_bytes()))));
    template.extend(choice.id.as_ref().map(|id| (CKA_ID, Value::Bytes(id.0.clone()))));
    template
}

/// A command that names no key would mean all of them.
fn must_name_keys(choice: &KeyChoice) -> Result<()> {
    if choice.label.is_some() || choice.id.is_some() {
        return Ok(());
    }
    Err(Failure::new(Outcome::Usage, "which key?")
        .next("name it with --label or --id; `softhsm-rs key list` shows both"))
}
