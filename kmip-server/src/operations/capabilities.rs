//! What Query tells beyond operations and objects: profiles, capabilities, generators, extensions.
//! KMIP 1.4, section 4.25; 2.1, section 6.1.40. What follows from the table of operations is not said
//! again here.

use crate::attributes::read::STORAGE_SOFTWARE;
use crate::context::Context;
use crate::dispatch;
use crate::objects::fresh;
use crate::ttlv::enums::{
    ClientRegistrationMethod, DestroyActionType, Operation, ProfileName, QueryFunction, RNGMode,
    ShreddingAlgorithm, UnwrapMode,
};
use crate::ttlv::{Item, Tag, Value, Version};

/// The fields that answer a query function. What the server has none of is not in the answer: no
/// namespace for which it makes application data, no extensions, no attestation, no validations, no
/// defaults that clients could not see in an object's attributes.
pub fn answered(context: &Context<'_>, function: QueryFunction) -> Vec<Item> {
    match function {
        QueryFunction::QueryRNGs => vec![Item::structure(Tag::RNG_PARAMETERS, fresh::generator_fields())],
        QueryFunction::QueryProfiles => profiles(context),
        QueryFunction::QueryCapabilities => vec![capabilities(context)],
        QueryFunction::QueryClientRegistrationMethods => vec![
            // `certs` makes certificates, or a client's own is pinned.
            registration(ClientRegistrationMethod::ServerPreGenerated),
            registration(ClientRegistrationMethod::ClientGenerated),
        ],
        QueryFunction::QueryStorageProtectionMasks => {
            let mask = Item::integer(Tag::PROTECTION_STORAGE_MASK, STORAGE_SOFTWARE);
            vec![Item::structure(Tag::PROTECTION_STORAGE_MASKS, vec![mask])]
        }
        QueryFunction::QueryOperations
        | QueryFunction::QueryObjects
        | QueryFunction::QueryServerInformation
        | QueryFunction::QueryApplicationNamespaces
        | QueryFunction::QueryExtensionList
        | QueryFunction::QueryExtensionMap
        | QueryFunction::QueryAttestationTypes
        | QueryFunction::QueryValidations
        | QueryFunction::QueryDefaultsInformation => Vec::new(),
    }
}

fn registration(method: ClientRegistrationMethod) -> Item {
    Item::enumeration(Tag::CLIENT_REGISTRATION_METHOD, method)
}

fn offers(context: &Context<'_>, operation: Operation) -> bool {
    dispatch::row(operation, context.version, context.settings.interop).is_some()
}

fn capabilities(context: &Context<'_>) -> Item {
    let streaming = offers(context, Operation::Encrypt);
    let fields = vec![
        Item::boolean(Tag::STREAMING_CAPABILITY, streaming),
        Item::boolean(Tag::ASYNCHRONOUS_CAPABILITY, false),
        Item::boolean(Tag::ATTESTATION_CAPABILITY, false),
        Item::boolean(Tag::BATCH_UNDO_CAPABILITY, true),
        Item::boolean(Tag::BATCH_CONTINUE_CAPABILITY, true),
        // Keys that are registered wrapped stay so.
        Item::enumeration(Tag::UNWRAP_MODE, UnwrapMode::NotProcessed),
        Item::enumeration(Tag::DESTROY_ACTION, DestroyActionType::KeyMaterialDeleted),
        Item::enumeration(Tag::SHREDDING_ALGORITHM, ShreddingAlgorithm::Unsupported),
        Item::enumeration(Tag::RNG_MODE, RNGMode::SharedInstantiation),
        Item::boolean(Tag::QUANTUM_SAFE_CAPABILITY, false),
    ];
    let known = fields.into_iter().filter(|field| is_in(field.tag, context.version));
    Item::structure(Tag::CAPABILITY_INFORMATION, known.collect())
}

fn is_in(tag: Tag, version: Version) -> bool {
    tag.since().is_some_and(|since| since <= version)
}

/// A server profile: its name in 2.x and those in 1.3 and 1.4, which have one for each version, and
/// operations without which a server does not conform to it (besides the Baseline Server's).
struct Profile {
    names: &'static [ProfileName],
    operations: &'static [Operation],
}

/// The profiles, in the order of their numbers. TLS below 1.2 is not offered, so neither are the Basic
/// suites of 1.x; HTTPS, JSON and XML are the configuration's matter, which this does not know.
#[rustfmt::skip]
const PROFILES: &[Profile] = {
    use ProfileName::*;
    use Operation::*;
    &[
        Profile {
            names: &[BaselineServerTLSV1_2KMIPV1_2, BaselineServerTLSV1_2KMIPV1_3, BaselineServerTLSV1_2KMIPV1_4, BaselineServer],
            operations: &[],
        },
        Profile {
            names: &[TapeLibraryServerKMIPV1_0, TapeLibraryServerKMIPV1_1, TapeLibraryServerKMIPV1_2, TapeLibraryServerKMIPV1_3, TapeLibraryServerKMIPV1_4, TapeLibraryServer],
            operations: &[Create, Activate],
        },
        Profile {
            names: &[SymmetricKeyLifecycleServerKMIPV1_0, SymmetricKeyLifecycleServerKMIPV1_1, SymmetricKeyLifecycleServerKMIPV1_2, SymmetricKeyLifecycleServerKMIPV1_3, SymmetricKeyLifecycleServerKMIPV1_4, SymmetricKeyLifecycleServer],
            operations: &[Create, Register],
        },
        Profile {
            names: &[AsymmetricKeyLifecycleServerKMIPV1_0, AsymmetricKeyLifecycleServerKMIPV1_1, AsymmetricKeyLifecycleServerKMIPV1_2, AsymmetricKeyLifecycleServerKMIPV1_3, AsymmetricKeyLifecycleServerKMIPV1_4, AsymmetricKeyLifecycleServer],
            operations: &[CreateKeyPair, Register],
        },
        Profile {
            names: &[BasicCryptographicServerKMIPV1_2, BasicCryptographicServerKMIPV1_3, BasicCryptographicServerKMIPV1_4, BasicCryptographicServer],
            operations: &[Encrypt, Decrypt],
        },
        Profile {
            names: &[AdvancedCryptographicServerKMIPV1_2, AdvancedCryptographicServerKMIPV1_3, AdvancedCryptographicServerKMIPV1_4, AdvancedCryptographicServer],
            operations: &[Encrypt, Decrypt, Sign, SignatureVerify, MAC, MACVerify, Hash, RNGRetrieve, RNGSeed],
        },
        Profile {
            names: &[RNGCryptographicServerKMIPV1_2, RNGCryptographicServerKMIPV1_3, RNGCryptographicServerKMIPV1_4, RNGCryptographicServer],
            operations: &[RNGRetrieve, RNGSeed],
        },
        Profile {
            names: &[SymmetricKeyFoundryServerKMIPV1_0, SymmetricKeyFoundryServerKMIPV1_1, SymmetricKeyFoundryServerKMIPV1_2, SymmetricKeyFoundryServerKMIPV1_3, SymmetricKeyFoundryServerKMIPV1_4, SymmetricKeyFoundryServer],
            operations: &[Create],
        },
        Profile {
            names: &[OpaqueManagedObjectStoreServerKMIPV1_0, OpaqueManagedObjectStoreServerKMIPV1_1, OpaqueManagedObjectStoreServerKMIPV1_2, OpaqueManagedObjectStoreServerKMIPV1_3, OpaqueManagedObjectStoreServerKMIPV1_4, OpaqueManagedObjectStoreServer],
            operations: &[Register],
        },
        Profile {
            names: &[StorageArrayWithSelfEncryptingDriveServerKMIPV1_0, StorageArrayWithSelfEncryptingDriveServerKMIPV1_1, StorageArrayWithSelfEncryptingDriveServerKMIPV1_2, StorageArrayWithSelfEncryptingDriveServerKMIPV1_3, StorageArrayWithSelfEncryptingDriveServerKMIPV1_4, StorageArrayWithSelfEncryptingDriveServer],
            operations: &[Register],
        },
        Profile { names: &[PKCS_11Server], operations: &[PKCS_11] },
    ]
};

fn profiles(context: &Context<'_>) -> Vec<Item> {
    let conforms = |profile: &&Profile| profile.operations.iter().all(|needed| offers(context, *needed));
    let names = PROFILES.iter().filter(conforms).flat_map(|profile| profile.names);
    let known = |name: &&ProfileName| name.since() <= context.version && context.version <= name.last();
    let mut out: Vec<Item> = names
        .filter(known)
        .map(|name| {
            let name = Item::enumeration(Tag::PROFILE_NAME, *name);
            Item::structure(Tag::PROFILE_INFORMATION, vec![name])
        })
        .collect();
    out.sort_by_key(|item| match item.child(Tag::PROFILE_NAME).map(|name| &name.value) {
        Some(Value::Enumeration(number)) => *number,
        _ => u32::MAX,
    });
    out
}
