//! Why the crypto unit refused a command: one variant per outcome, with the return and reason codes
//! of EP11 and a text that says what to do. The codes are those that the TKE tools print; reason 0
//! stands where EP11 gives a return code alone. (Where no code is documented, the nearest was taken:
//! see the table of choices in the module's documentation.)

/// A command that the crypto unit refused. Nothing changed, and the command's transaction counter
/// was not used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} (EP11 return code {}, reason code {})", self.text(), self.return_code(), self.reason_code())]
#[non_exhaustive]
pub enum Refusal {
    /// The command cannot be read.
    CommandMalformed,
    /// The command names another HSM or another unit.
    OtherUnit,
    /// The transaction counter is not the last one plus one.
    Counter {
        /// The counter that the next command must carry.
        expected: u128,
    },
    /// The command's time has passed.
    Expired,
    /// The command is not for a unit in imprint mode.
    ImprintMode,
    /// A signer who is no administrator of this unit.
    SignerUnknown,
    /// A signature that is not one over this command.
    SignatureWrong,
    /// A signature that is no DER sequence of two integers.
    SignatureMalformed,
    /// Fewer administrators signed than the command needs.
    TooFewSignatures {
        /// Administrators needed.
        needed: u8,
        /// Administrators whose signatures were given.
        given: u8,
    },
    /// The administrator (key or name) is installed already.
    AdministratorExists,
    /// Eight administrators are installed.
    AdministratorsFull,
    /// No administrator has that key.
    AdministratorUnknown,
    /// A name that is empty, longer than 30 characters or holds control characters.
    AdministratorName,
    /// A key that is no point of P-521 in uncompressed form.
    AdministratorKey,
    /// Fewer administrators than a threshold would remain.
    ThresholdNeedsAdministrator,
    /// Imprint mode ends with both thresholds set; the revocation threshold was 0.
    RevocationThresholdUnset,
    /// The signature threshold is above the number of administrators.
    SignatureThresholdAbove,
    /// The revocation threshold is above the number of administrators.
    RevocationThresholdAbove,
    /// The signature threshold was set to 0.
    SignatureThresholdZero,
    /// The revocation threshold was set to 0.
    RevocationThresholdZero,
    /// The permissions forbid a signature threshold of 1.
    SignatureThresholdOne,
    /// The permissions forbid a revocation threshold of 1.
    RevocationThresholdOne,
    /// The permission for thresholds of 1 is in use.
    SingleSignatureInUse,
    /// A change-control bit that was reset stays so.
    ControlBitSet,
    /// A permission whose change-control bit is reset.
    PermissionLocked,
    /// A threshold whose change-control bit is reset.
    ThresholdLocked,
    /// The permissions forbid loading a master key.
    ImportForbidden,
    /// The permissions forbid loading a master key from a single part.
    SinglePartForbidden,
    /// The permissions forbid a random master key.
    RandomForbidden,
    /// The permissions forbid exporting the master key.
    ExportForbidden,
    /// A master key is loaded from one, two or three parts, each once.
    KeyParts,
    /// There is no importer key, or the part is encrypted to another one.
    ImporterKeyMissing,
    /// A key part that does not decrypt.
    KeyPartDamaged,
    /// The parts cancel each other out.
    KeyIsZero,
    /// The new master key is the current one.
    SameAsCurrent,
    /// The new register holds a key already.
    NewRegisterFull,
    /// The new register is empty.
    NewRegisterEmpty,
    /// The key in the new register is not committed.
    NewRegisterUncommitted,
    /// The current register is empty.
    CurrentRegisterEmpty,
    /// The verification pattern is not the one of the key in the register.
    VerificationPattern,
    /// An export to something that is no P-521 key.
    RecipientKey,
}

impl Refusal {
    /// EP11's return code.
    pub fn return_code(&self) -> u32 {
        self.row().0
    }

    /// EP11's reason code; 0 where there is none.
    pub fn reason_code(&self) -> u32 {
        self.row().1
    }

    /// What happened and what to do, without numbers.
    pub fn advice(&self) -> &'static str {
        self.row().2
    }

    /// What happened and what to do.
    fn text(&self) -> String {
        let advice = self.row().2;
        match self {
            Refusal::Counter { expected } => format!("{advice} {expected}"),
            Refusal::TooFewSignatures { needed, given } => {
                format!("{advice}: {given} of {needed} given")
            }
            _ => advice.to_owned(),
        }
    }

    /// The table: return code, reason code, text.
    #[rustfmt::skip]
    fn row(&self) -> (u32, u32, &'static str) {
        match self {
            Refusal::OtherUnit                   => (  3,   0, "the command names another HSM or unit: make and sign it anew for this one"),
            Refusal::CommandMalformed            => (  7,   0, "the command cannot be read: make it anew with this version's tools"),
            Refusal::AdministratorName           => ( 32,   0, "an administrator's name has 1 to 30 printable characters"),
            Refusal::AdministratorKey            => ( 32,   0, "an administrator's key is an uncompressed P-521 public key"),
            Refusal::KeyParts                    => ( 32,   0, "a master key is loaded from 1, 2 or 3 parts, numbered and each given once"),
            Refusal::KeyPartDamaged              => ( 32,   0, "a key part does not decrypt: encrypt it again to the unit's importer key"),
            Refusal::KeyIsZero                   => ( 32,   0, "the key parts cancel each other out: use different parts"),
            Refusal::SameAsCurrent               => ( 32,   0, "this is the current master key already: load another one, or keep it"),
            Refusal::RecipientKey                => ( 32,   0, "the master key is exported to an uncompressed P-521 public key"),
            Refusal::AdministratorUnknown        => ( 32,  32, "no administrator has this subject key identifier: list the administrators"),
            Refusal::RandomForbidden             => ( 80,  52, "the unit's permissions forbid random master keys: load key parts"),
            Refusal::ImportForbidden             => ( 80,  80, "the unit's permissions forbid loading master keys"),
            Refusal::SinglePartForbidden         => ( 80,  81, "the unit's permissions forbid loading a master key from a single part: use 2 or 3"),
            Refusal::ExportForbidden             => ( 80, 131, "the unit's permissions forbid exporting master keys"),
            Refusal::VerificationPattern         => (101,  48, "the verification pattern is not that of the key in the new register: compare the key parts"),
            Refusal::ImporterKeyMissing          => (102,   0, "the unit has no such importer key: generate one and encrypt the key parts to it"),
            Refusal::NewRegisterEmpty            => (102,   0, "the new master key register is empty: load a master key first"),
            Refusal::NewRegisterUncommitted      => (102,   0, "the new master key is not committed: commit it first"),
            Refusal::CurrentRegisterEmpty        => (102,   0, "the current master key register is empty"),
            Refusal::Counter { .. }              => (163,   0, "the transaction counter is wrong, another command came first: make the command anew with counter"),
            Refusal::Expired                     => (163,   0, "the command's time has passed: make and sign it anew"),
            Refusal::ImprintMode                 => (179,   0, "not allowed in imprint mode: add administrators and set the thresholds first"),
            Refusal::SignatureWrong              => (192,   0, "a signature is not valid for this command: sign it anew"),
            Refusal::SignatureMalformed          => (193,   0, "a signature is malformed: sign the command anew"),
            Refusal::TooFewSignatures { .. }     => (208,   0, "too few administrators signed the command"),
            Refusal::NewRegisterFull             => (209,   0, "the new master key register is full: clear or activate it first"),
            Refusal::RevocationThresholdUnset    => (209,  56, "imprint mode cannot be left with the revocation threshold 0: set both thresholds"),
            Refusal::SignatureThresholdAbove     => (209,  57, "the signature threshold is above the number of administrators: add some first"),
            Refusal::RevocationThresholdAbove    => (209,  58, "the revocation threshold is above the number of administrators: add some first"),
            Refusal::ThresholdNeedsAdministrator => (209,  66, "fewer administrators than a threshold would remain: lower the threshold or add another first"),
            Refusal::ControlBitSet               => (209,  69, "a change-control bit that was reset cannot be set again, short of zeroizing the unit"),
            Refusal::PermissionLocked            => (209,  70, "this permission's change-control bit is reset: it stays as it is until the unit is zeroized"),
            Refusal::ThresholdLocked             => (209,  71, "this threshold's change-control bit is reset: it stays as it is until the unit is zeroized"),
            Refusal::SingleSignatureInUse        => (209,  74, "a threshold is 1: raise it before forbidding thresholds of 1"),
            Refusal::SignatureThresholdZero      => (209,  76, "the signature threshold is at least 1"),
            Refusal::RevocationThresholdZero     => (209,  77, "the revocation threshold is at least 1"),
            Refusal::SignatureThresholdOne       => (209,  78, "the permissions forbid a signature threshold of 1: use 2 or more"),
            Refusal::RevocationThresholdOne      => (209,  79, "the permissions forbid a revocation threshold of 1: use 2 or more"),
            Refusal::AdministratorExists         => (256,  38, "an administrator with this key or name is installed already"),
            Refusal::SignerUnknown               => (257,   0, "a signer is no administrator of this unit: sign with an installed administrator's key"),
            Refusal::AdministratorsFull          => (261,  39, "the unit has 8 administrators, the most there can be: remove one first"),
        }
    }
}
