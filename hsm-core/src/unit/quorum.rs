//! Who may say what to the unit: commands are made for one HSM, one unit and one transaction
//! counter, signed by administrators, and verified here. [`Authorized`] is the proof of that, and
//! the only thing that `transition` takes.

use super::command::{Command, CommandKind, KEY_PART_CODE};
use super::encoding::{Block, SignedBlock, SignerInfo, octets, to_der};
use super::identity::{HsmId, Ski};
use super::keys::SignatureKey;
use super::parts::Envelope;
use super::refusal::Refusal;
use super::signatures::{Standing, needed, rule};
use super::state::State;
use crate::error::Result;
use der::{Decode, Sequence, asn1::OctetString};

/// What a command is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The HSM.
    pub hsm_id: HsmId,
    /// The unit inside it.
    pub unit_id: u32,
    /// The transaction counter: one above that of the unit's last command.
    pub counter: u128,
}

/// A command with the signatures given so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCommand(SignedBlock);

impl SignedCommand {
    /// The command, made for `target` and not yet signed. It counts until another command was carried out.
    pub fn new(target: &Target, command: &Command) -> Result<SignedCommand> {
        SignedCommand::until(target, command, None)
    }

    /// The same; it counts until a moment at most, in seconds since 1970.
    pub fn until(target: &Target, command: &Command, expires: Option<u64>) -> Result<SignedCommand> {
        let code = command.kind().row().code;
        Ok(SignedCommand(unsigned_block(target, code, command.input()?, expires)?))
    }

    /// Adds this administrator's signature.
    pub fn sign(&mut self, key: &SignatureKey) -> Result<()> {
        sign_block(&mut self.0, key)
    }

    /// The bytes to sign (ECDSA P-521 over their SHA-512), for keys that are held elsewhere.
    pub fn bytes_to_sign(&self) -> &[u8] {
        self.0.block.as_bytes()
    }

    /// The command whose bytes somebody is asked to sign, with no signatures yet; `None` if they are none of one.
    pub fn of_bytes_to_sign(bytes: &[u8]) -> Option<SignedCommand> {
        let signed = SignedCommand(SignedBlock { block: octets(bytes).ok()?, signers: Vec::new() });
        signed.command().is_ok().then_some(signed)
    }

    /// Adds a signature (DER) that was made elsewhere.
    pub fn add_signature(&mut self, signer: &Ski, signature: Vec<u8>) -> Result<()> {
        self.0.signers.push(SignerInfo::new(signer, signature)?);
        Ok(())
    }

    /// What the command is made for. Nothing of it is verified.
    pub fn target(&self) -> Result<Target> {
        Ok(read_block(&self.0)?.target)
    }

    /// Until when the command counts, in seconds since 1970, if it says so. Nothing of it is verified.
    pub fn expires(&self) -> Result<Option<u64>> {
        Ok(read_block(&self.0)?.expires)
    }

    /// What the command says, for whoever is asked to sign it. Nothing of it is verified.
    pub fn command(&self) -> Result<Command> {
        let Read { code, input, .. } = read_block(&self.0)?;
        let kind = CommandKind::of_code(code).ok_or(Refusal::CommandMalformed)?;
        Ok(Command::from_input(kind, input.as_bytes())?)
    }

    /// Who seems to have signed. Nothing of it is verified.
    pub fn signers(&self) -> Vec<Ski> {
        self.0.signers.iter().filter_map(|info| Some(info.parts()?.0)).collect()
    }

    /// The command and its signatures as bytes.
    pub fn to_der(&self) -> Result<Vec<u8>> {
        to_der(&self.0)
    }

    /// The reverse of [`SignedCommand::to_der`]. What the bytes say is not yet verified.
    pub fn from_der(der: &[u8]) -> Result<SignedCommand> {
        Ok(SignedCommand(SignedBlock::from_der(der).map_err(|_| Refusal::CommandMalformed)?))
    }
}

/// One part of a new master key, signed by the administrator who brings it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedPart {
    signed: SignedBlock,
    /// What `signed` says, read once.
    target: Target,
    expires: Option<u64>,
    number: u8,
    count: u8,
    envelope: Envelope,
}

/// The parameters of a key part's block. Number and count are signed, so that nobody can leave a
/// part out.
#[derive(Sequence)]
struct PartInput {
    number: u8,
    count: u8,
    envelope: OctetString,
}

impl SignedPart {
    /// Part `number` of `count`, made for `target` (that of the command that will carry it) and not
    /// yet signed.
    pub fn new(target: &Target, number: u8, count: u8, envelope: Envelope) -> Result<SignedPart> {
        SignedPart::until(target, (number, count), envelope, None)
    }

    /// The same; it counts until a moment at most, in seconds since 1970.
    pub fn until(
        target: &Target,
        (number, count): (u8, u8),
        envelope: Envelope,
        expires: Option<u64>,
    ) -> Result<SignedPart> {
        let input = to_der(&PartInput { number, count, envelope: octets(envelope.to_der()?)? })?;
        let signed = unsigned_block(target, KEY_PART_CODE, input, expires)?;
        Ok(SignedPart { signed, target: *target, expires, number, count, envelope })
    }

    /// Its number, and how many there are. Nothing of it is verified.
    pub fn place(&self) -> (u8, u8) {
        (self.number, self.count)
    }

    /// What the part is made for. Nothing of it is verified.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Until when the part counts, in seconds since 1970, if it says so. Nothing of it is verified.
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// Who seems to have signed. Nothing of it is verified.
    pub fn signers(&self) -> Vec<Ski> {
        self.signed.signers.iter().filter_map(|info| Some(info.parts()?.0)).collect()
    }

    /// Adds this administrator's signature.
    pub fn sign(&mut self, key: &SignatureKey) -> Result<()> {
        sign_block(&mut self.signed, key)
    }

    /// The bytes to sign, as [`SignedCommand::bytes_to_sign`].
    pub fn bytes_to_sign(&self) -> &[u8] {
        self.signed.block.as_bytes()
    }

    /// The part whose bytes somebody is asked to sign; `None` if they are none of one.
    pub fn of_bytes_to_sign(bytes: &[u8]) -> Option<SignedPart> {
        SignedPart::decode(SignedBlock { block: octets(bytes).ok()?, signers: Vec::new() }).ok()
    }

    /// Adds a signature (DER) that was made elsewhere.
    pub fn add_signature(&mut self, signer: &Ski, signature: Vec<u8>) -> Result<()> {
        self.signed.signers.push(SignerInfo::new(signer, signature)?);
        Ok(())
    }

    /// The part and its signatures as bytes, on the way to whoever collects the parts.
    pub fn to_der(&self) -> Result<Vec<u8>> {
        to_der(&self.signed)
    }

    /// The reverse of [`SignedPart::to_der`]. What the bytes say is not yet verified.
    pub fn from_der(der: &[u8]) -> Result<SignedPart> {
        let signed = SignedBlock::from_der(der).map_err(|_| Refusal::CommandMalformed)?;
        Ok(SignedPart::decode(signed)?)
    }

    /// The encrypted part.
    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The part inside the block of the command that carries it.
    pub(super) fn encoded(&self) -> SignedBlock {
        self.signed.clone()
    }

    /// The reverse of [`SignedPart::encoded`].
    pub(super) fn decode(signed: SignedBlock) -> std::result::Result<SignedPart, Refusal> {
        let Read { target, expires, code, input } = read_block(&signed)?;
        let part = PartInput::from_der(input.as_bytes()).map_err(|_| Refusal::CommandMalformed)?;
        let envelope = Envelope::from_der(part.envelope.as_bytes()).ok_or(Refusal::KeyPartDamaged)?;
        if code != KEY_PART_CODE {
            return Err(Refusal::CommandMalformed);
        }
        Ok(SignedPart { signed, target, expires, number: part.number, count: part.count, envelope })
    }
}

/// A command that this state accepts as signed by enough of its administrators. Only
/// [`Authorized::verify`] makes one, and it holds on to the state it was verified against.
#[derive(Debug)]
pub struct Authorized<'state> {
    state: &'state State,
    command: Command,
}

impl<'state> Authorized<'state> {
    /// Verifies target, counter, signatures and their number, and that it is not too late: `now` is in
    /// seconds since 1970.
    pub fn verify(
        state: &'state State,
        signed: &SignedCommand,
        now: u64,
    ) -> std::result::Result<Authorized<'state>, Refusal> {
        let Read { target, expires, code, input } = read_block(&signed.0)?;
        let kind = CommandKind::of_code(code).ok_or(Refusal::CommandMalformed)?;
        check_target(state, &target)?;
        check_time(expires, now)?;
        let standing = Standing::of(state);
        let rule = rule(&standing, kind)?;
        let command = Command::from_input(kind, input.as_bytes())?;
        check_signers(state, &signed.0, needed(rule, &standing, &command))?;
        if let Command::LoadNewMasterKey(parts) = &command {
            check_parts(state, parts, now)?;
        }
        Ok(Authorized { state, command })
    }

    /// The state that the command was verified against, and the command.
    pub(super) fn into_parts(self) -> (&'state State, Command) {
        (self.state, self.command)
    }
}

/// The command is for this unit and comes next.
fn check_target(state: &State, target: &Target) -> std::result::Result<(), Refusal> {
    let expected = state.target();
    if (target.hsm_id, target.unit_id) != (expected.hsm_id, expected.unit_id) {
        return Err(Refusal::OtherUnit);
    }
    if target.counter != expected.counter {
        return Err(Refusal::Counter { expected: expected.counter });
    }
    Ok(())
}

/// The signatures still count.
fn check_time(expires: Option<u64>, now: u64) -> std::result::Result<(), Refusal> {
    if expires.is_some_and(|expires| now > expires) { Err(Refusal::Expired) } else { Ok(()) }
}

/// Every signature is an administrator's and valid, and `needed` different administrators signed.
fn check_signers(state: &State, signed: &SignedBlock, needed: u8) -> std::result::Result<(), Refusal> {
    let mut signers = Vec::new();
    for info in &signed.signers {
        let (signer, signature) = info.parts().ok_or(Refusal::SignatureMalformed)?;
        let administrator = state.administrator(&signer).ok_or(Refusal::SignerUnknown)?;
        administrator.public_key.verify(signed.block.as_bytes(), signature)?;
        if !signers.contains(&signer) {
            signers.push(signer);
        }
    }
    // There are eight administrators at most.
    let given = u8::try_from(signers.len()).unwrap_or(u8::MAX);
    if given < needed { Err(Refusal::TooFewSignatures { needed, given }) } else { Ok(()) }
}

/// All parts are here, in their order, made for this command, and each is signed.
fn check_parts(state: &State, parts: &[SignedPart], now: u64) -> std::result::Result<(), Refusal> {
    for (part, number) in parts.iter().zip(1..) {
        check_target(state, &part.target)?;
        check_time(part.expires, now)?;
        if part.number != number || usize::from(part.count) != parts.len() {
            return Err(Refusal::KeyParts);
        }
        check_signers(state, &part.signed, 1)?;
    }
    Ok(())
}

/// A block for `target` without signatures.
fn unsigned_block(target: &Target, code: u32, input: Vec<u8>, expires: Option<u64>) -> Result<SignedBlock> {
    let block = Block {
        command: octets(code.to_be_bytes().as_slice())?,
        domain: octets(target.unit_id.to_be_bytes().as_slice())?,
        module: octets(target.hsm_id.as_bytes().as_slice())?,
        counter: octets(target.counter.to_be_bytes().as_slice())?,
        input: octets(input)?,
        expires: expires.map(|expires| octets(expires.to_be_bytes().as_slice())).transpose()?,
    };
    Ok(SignedBlock { block: octets(to_der(&block)?)?, signers: Vec::new() })
}

/// A block that was read.
struct Read {
    target: Target,
    expires: Option<u64>,
    code: u32,
    input: OctetString,
}

/// What a block is for, its number, and its parameters.
fn read_block(signed: &SignedBlock) -> std::result::Result<Read, Refusal> {
    let block = Block::from_der(signed.block.as_bytes()).map_err(|_| Refusal::CommandMalformed)?;
    let target = Target {
        hsm_id: HsmId::new(fixed(&block.module)?),
        unit_id: u32::from_be_bytes(fixed(&block.domain)?),
        counter: u128::from_be_bytes(fixed(&block.counter)?),
    };
    let expires = block.expires.as_ref().map(fixed).transpose()?.map(u64::from_be_bytes);
    Ok(Read { target, expires, code: u32::from_be_bytes(fixed(&block.command)?), input: block.input })
}

fn fixed<const N: usize>(octets: &OctetString) -> std::result::Result<[u8; N], Refusal> {
    octets.as_bytes().try_into().map_err(|_| Refusal::CommandMalformed)
}

fn sign_block(signed: &mut SignedBlock, key: &SignatureKey) -> Result<()> {
    let signature = key.sign(signed.block.as_bytes())?;
    signed.signers.push(SignerInfo::new(&key.ski(), signature)?);
    Ok(())
}
