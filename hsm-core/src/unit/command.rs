//! The commands of a crypto unit, the table that says what each is called and how many signatures it
//! needs, and their parameters as bytes. What they do is in `transition`; who signed is for `quorum`.

use der::asn1::{OctetString, Utf8StringRef};
use der::{Decode, Sequence};

use super::encoding::{octets, to_der};
use super::identity::{Ski, VerificationPattern};
use super::keys::PublicKey;
use super::parts::PARTS_MAX;
use super::permissions::Permissions;
use super::quorum::SignedPart;
use super::refusal::Refusal;
use super::state::{ADMINISTRATORS_MAX, Administrator, NAME_MAX};
use crate::error::Result;

/// A command with its parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Installs an administrator.
    AddAdministrator(Administrator),
    /// Removes the administrator with this key.
    RemoveAdministrator(Ski),
    /// Sets thresholds and permissions; ends imprint mode.
    SetAttributes(Attributes),
    /// Makes the key pair that key parts are encrypted to.
    GenerateImporter,
    /// Loads the new master key register from parts, each signed by itself.
    LoadNewMasterKey(Vec<SignedPart>),
    /// Lets the unit draw a master key.
    GenerateMasterKey,
    /// The administrators agree on the key in the new register.
    Commit(VerificationPattern),
    /// The committed key becomes the current one.
    SetImmediate(VerificationPattern),
    /// Empties the new register.
    ClearNew,
    /// Empties the current register: everything under that key is lost.
    ClearCurrent,
    /// Hands the current master key out, encrypted to a P-521 key.
    ExportCurrent(PublicKey),
    /// Hands the new master key out, encrypted to a P-521 key.
    ExportNew(PublicKey),
    /// Back to imprint mode: administrators, thresholds and keys are gone.
    Zeroize,
}

/// What [`Command::SetAttributes`] sets; what is absent stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    /// Administrators who must sign most commands.
    pub signature_threshold: Option<u8>,
    /// Administrators who must sign the removal of one.
    pub revocation_threshold: Option<u8>,
    /// What the unit allows.
    pub permissions: Option<Permissions>,
}

/// A command without its parameters: a row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CommandKind {
    /// [`Command::AddAdministrator`]
    AddAdministrator,
    /// [`Command::RemoveAdministrator`]
    RemoveAdministrator,
    /// [`Command::SetAttributes`]
    SetAttributes,
    /// [`Command::GenerateImporter`]
    GenerateImporter,
    /// [`Command::LoadNewMasterKey`]
    LoadNewMasterKey,
    /// [`Command::GenerateMasterKey`]
    GenerateMasterKey,
    /// [`Command::Commit`]
    Commit,
    /// [`Command::SetImmediate`]
    SetImmediate,
    /// [`Command::ClearNew`]
    ClearNew,
    /// [`Command::ClearCurrent`]
    ClearCurrent,
    /// [`Command::ExportCurrent`]
    ExportCurrent,
    /// [`Command::ExportNew`]
    ExportNew,
    /// [`Command::Zeroize`]
    Zeroize,
}

/// Whose signatures a command needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signatures {
    /// Nobody's.
    None,
    /// The command is refused whoever signs.
    NotAllowed,
    /// One administrator's.
    One,
    /// One administrator's on each key part; none on the command that carries them.
    OnePerPart,
    /// As many as the signature threshold says.
    SignatureThreshold,
    /// As many as the revocation threshold says.
    RevocationThreshold,
    /// As many as the signature threshold that this very command sets.
    NewSignatureThreshold,
    /// One where [`Permissions::ZEROIZE_SINGLE_SIGNATURE`] is given, else the signature threshold.
    OneIfPermitted,
}

/// A row of the table of commands.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What people call it.
    pub name: &'static str,
    /// Its number in a command block: EP11's `XCP_ADM_*`.
    pub code: u32,
    /// Signatures needed in imprint mode.
    pub imprint: Signatures,
    /// Signatures needed after.
    pub secure: Signatures,
}

/// The number of a key part's block inside [`Command::LoadNewMasterKey`]. EP11 gives parts and
/// command the same number; here they differ, so that neither can be taken for the other.
pub(super) const KEY_PART_CODE: u32 = 0x1_000c;

impl CommandKind {
    /// Every command.
    pub const ALL: [CommandKind; 13] = [
        CommandKind::AddAdministrator,
        CommandKind::RemoveAdministrator,
        CommandKind::SetAttributes,
        CommandKind::GenerateImporter,
        CommandKind::LoadNewMasterKey,
        CommandKind::GenerateMasterKey,
        CommandKind::Commit,
        CommandKind::SetImmediate,
        CommandKind::ClearNew,
        CommandKind::ClearCurrent,
        CommandKind::ExportCurrent,
        CommandKind::ExportNew,
        CommandKind::Zeroize,
    ];

    /// The table.
    #[rustfmt::skip]
    pub const fn row(self) -> Row {
        use Signatures::*;
        const fn row(name: &'static str, code: u32, imprint: Signatures, secure: Signatures) -> Row {
            Row { name, code, imprint, secure }
        }
        match self {
            //                                       name                           code  imprint                secure
            CommandKind::AddAdministrator    => row("add administrator",            0x02, None,                  SignatureThreshold),
            CommandKind::RemoveAdministrator => row("remove administrator",         0x04, None,                  RevocationThreshold),
            CommandKind::SetAttributes       => row("set thresholds",               0x08, NewSignatureThreshold, SignatureThreshold),
            CommandKind::GenerateImporter    => row("generate importer key",        0x09, NotAllowed,            One),
            CommandKind::LoadNewMasterKey    => row("load new master key",          0x0c, NotAllowed,            OnePerPart),
            CommandKind::GenerateMasterKey   => row("generate random master key",   0x0a, NotAllowed,            One),
            CommandKind::Commit              => row("commit new master key",        0x0d, NotAllowed,            SignatureThreshold),
            CommandKind::SetImmediate        => row("set new master key immediate", 0x0e, NotAllowed,            One),
            CommandKind::ClearNew            => row("clear new master key",         0x1c, NotAllowed,            One),
            CommandKind::ClearCurrent        => row("clear current master key",     0x1b, NotAllowed,            One),
            CommandKind::ExportCurrent       => row("export current master key",    0x0b, NotAllowed,            SignatureThreshold),
            CommandKind::ExportNew           => row("export new master key",        0x26, NotAllowed,            SignatureThreshold),
            CommandKind::Zeroize             => row("zeroize",                      0x10, None,                  OneIfPermitted),
        }
    }

    /// The command with this number.
    pub(super) fn of_code(code: u32) -> Option<CommandKind> {
        CommandKind::ALL.into_iter().find(|kind| kind.row().code == code)
    }
}

impl Command {
    /// The command's row.
    pub fn kind(&self) -> CommandKind {
        match self {
            Command::AddAdministrator(_) => CommandKind::AddAdministrator,
            Command::RemoveAdministrator(_) => CommandKind::RemoveAdministrator,
            Command::SetAttributes(_) => CommandKind::SetAttributes,
            Command::GenerateImporter => CommandKind::GenerateImporter,
            Command::LoadNewMasterKey(_) => CommandKind::LoadNewMasterKey,
            Command::GenerateMasterKey => CommandKind::GenerateMasterKey,
            Command::Commit(_) => CommandKind::Commit,
            Command::SetImmediate(_) => CommandKind::SetImmediate,
            Command::ClearNew => CommandKind::ClearNew,
            Command::ClearCurrent => CommandKind::ClearCurrent,
            Command::ExportCurrent(_) => CommandKind::ExportCurrent,
            Command::ExportNew(_) => CommandKind::ExportNew,
            Command::Zeroize => CommandKind::Zeroize,
        }
    }

    /// The parameters as the command block carries them.
    pub(super) fn input(&self) -> Result<Vec<u8>> {
        match self {
            Command::AddAdministrator(administrator) => to_der(&NewAdministrator {
                name: Utf8StringRef::new(&administrator.name)
                    .map_err(|_| crate::Error::from(Refusal::AdministratorName))?,
                point: octets(administrator.public_key.to_sec1())?,
            }),
            Command::RemoveAdministrator(ski) => Ok(ski.as_bytes().to_vec()),
            Command::SetAttributes(attributes) => Ok(attributes.to_bytes()),
            Command::LoadNewMasterKey(parts) => {
                let parts: Vec<_> = parts.iter().map(SignedPart::encoded).collect();
                to_der(&parts)
            }
            Command::Commit(pattern) | Command::SetImmediate(pattern) => Ok(pattern.as_bytes().to_vec()),
            Command::ExportCurrent(recipient) | Command::ExportNew(recipient) => Ok(recipient.to_sec1()),
            Command::GenerateImporter
            | Command::GenerateMasterKey
            | Command::ClearNew
            | Command::ClearCurrent
            | Command::Zeroize => Ok(Vec::new()),
        }
    }

    /// The reverse of [`Command::input`].
    pub(super) fn from_input(kind: CommandKind, input: &[u8]) -> std::result::Result<Command, Refusal> {
        let pattern =
            || Ok(VerificationPattern::new(input.try_into().map_err(|_| Refusal::CommandMalformed)?));
        let recipient = || PublicKey::from_sec1(input).ok_or(Refusal::RecipientKey);
        let nothing = |command| if input.is_empty() { Ok(command) } else { Err(Refusal::CommandMalformed) };
        match kind {
            CommandKind::AddAdministrator => administrator_from(input).map(Command::AddAdministrator),
            CommandKind::RemoveAdministrator => {
                let ski = input.try_into().map_err(|_| Refusal::AdministratorUnknown)?;
                Ok(Command::RemoveAdministrator(Ski::new(ski)))
            }
            CommandKind::SetAttributes => {
                let attributes = Attributes::from_bytes(input).ok_or(Refusal::CommandMalformed)?;
                Ok(Command::SetAttributes(attributes))
            }
            CommandKind::LoadNewMasterKey => parts_from(input).map(Command::LoadNewMasterKey),
            CommandKind::Commit => pattern().map(Command::Commit),
            CommandKind::SetImmediate => pattern().map(Command::SetImmediate),
            CommandKind::ExportCurrent => recipient().map(Command::ExportCurrent),
            CommandKind::ExportNew => recipient().map(Command::ExportNew),
            CommandKind::GenerateImporter => nothing(Command::GenerateImporter),
            CommandKind::GenerateMasterKey => nothing(Command::GenerateMasterKey),
            CommandKind::ClearNew => nothing(Command::ClearNew),
            CommandKind::ClearCurrent => nothing(Command::ClearCurrent),
            CommandKind::Zeroize => nothing(Command::Zeroize),
        }
    }
}

/// The parameters of [`Command::AddAdministrator`].
#[derive(Sequence)]
struct NewAdministrator<'a> {
    name: Utf8StringRef<'a>,
    point: OctetString,
}

fn administrator_from(input: &[u8]) -> std::result::Result<Administrator, Refusal> {
    let new = NewAdministrator::from_der(input).map_err(|_| Refusal::CommandMalformed)?;
    let name = new.name.as_str().to_owned();
    let public_key = PublicKey::from_sec1(new.point.as_bytes()).ok_or(Refusal::AdministratorKey)?;
    let length = name.chars().count();
    if length == 0 || length > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Refusal::AdministratorName);
    }
    Ok(Administrator { name, public_key })
}

fn parts_from(input: &[u8]) -> std::result::Result<Vec<SignedPart>, Refusal> {
    let blocks = Vec::from_der(input).map_err(|_| Refusal::CommandMalformed)?;
    if blocks.is_empty() || blocks.len() > PARTS_MAX {
        return Err(Refusal::KeyParts);
    }
    blocks.into_iter().map(SignedPart::decode).collect()
}

/// EP11's attribute indices (`XCP_ADMINT_*`).
const SIGNATURE_THRESHOLD: u32 = 1;
const REVOCATION_THRESHOLD: u32 = 2;
const PERMISSIONS: u32 = 3;

impl Attributes {
    /// Pairs of index and value, 4 bytes each, as EP11 has them.
    fn to_bytes(self) -> Vec<u8> {
        let pairs = [
            (SIGNATURE_THRESHOLD, self.signature_threshold.map(u32::from)),
            (REVOCATION_THRESHOLD, self.revocation_threshold.map(u32::from)),
            (PERMISSIONS, self.permissions.map(Permissions::bits)),
        ];
        let present = pairs.into_iter().filter_map(|(index, value)| Some([index, value?]));
        present.flatten().flat_map(u32::to_be_bytes).collect()
    }

    /// The reverse of [`Attributes::to_bytes`]: known indices in rising order, each once. A
    /// threshold that does not fit becomes 255, which is above any number of administrators as well.
    fn from_bytes(bytes: &[u8]) -> Option<Attributes> {
        let mut attributes = Attributes::default();
        let mut last = 0;
        let (pairs, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || pairs.is_empty() {
            return None;
        }
        for [a, b, c, d, w, x, y, z] in pairs.iter().copied() {
            let index = u32::from_be_bytes([a, b, c, d]);
            let value = u32::from_be_bytes([w, x, y, z]);
            if index <= last {
                return None;
            }
            last = index;
            let threshold = u8::try_from(value).unwrap_or(u8::MAX);
            match index {
                SIGNATURE_THRESHOLD => attributes.signature_threshold = Some(threshold),
                REVOCATION_THRESHOLD => attributes.revocation_threshold = Some(threshold),
                PERMISSIONS => attributes.permissions = Some(Permissions::from_bits(value)),
                _ => return None,
            }
        }
        Some(attributes)
    }
}

// A threshold fits into the type that holds it.
const _: () = assert!(ADMINISTRATORS_MAX < u8::MAX as usize);
