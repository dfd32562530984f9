//! What the fuzz targets share: an engine on a throw-away HSM in memory, and a client that may do
//! everything. No sockets.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use hsm_core::config::Config;
use hsm_core::hsm::Hsm;
use hsm_core::store::StoreUrl;
use hsm_core::unit::ceremony::Options;
use kmip_server::engine::{Encoding, Engine, Settings};
use kmip_server::identity::{Client, Role};
use kmip_server::ttlv::{self, Limits};

const PARTITION: &str = "kmip";

/// The engine of this process, and its HSM, which partitions do not keep: what one input makes, later ones find.
static SERVER: LazyLock<(Arc<Hsm>, Engine)> = LazyLock::new(|| {
    let home = tempfile::tempdir().expect("a directory");
    let mut config = Config::for_home(home.path()).expect("a configuration");
    config.store = StoreUrl::Memory;
    let hsm = Hsm::new(config);
    hsm.initialise(&Options { group: None, passphrase: None }, &mut |_| {}).expect("an HSM");
    let session = hsm.server_partition(PARTITION).and_then(|it| it.open_for_server()).expect("a partition");
    // The unit's files are read at each use of the master key, as long as the process lives.
    let _ = home.keep();
    let settings = Settings { interop: true, ..Settings::default() };
    (hsm, Engine::new(HashMap::from([(PARTITION.to_owned(), session)]), settings))
});

static CLIENT: LazyLock<Arc<Client>> = LazyLock::new(|| {
    Arc::new(Client {
        owner: "fuzzer".to_owned(),
        name: "fuzzer".to_owned(),
        partition: PARTITION.to_owned(),
        role: Role::Officer,
        groups: Vec::new(),
        address: None,
    })
});

/// Answers a message. Whatever it is, the answer is a message that decodes.
pub fn answer(encoding: Encoding, bytes: &[u8]) {
    let (_, engine) = &*SERVER;
    let answer = engine.answer(&CLIENT, engine.read(encoding, bytes));
    let read = match encoding {
        Encoding::Ttlv => ttlv::decode(&answer, &generous()).is_ok(),
        Encoding::Json => ttlv::text::json::decode(&answer, &generous()).is_ok(),
        Encoding::Xml => ttlv::text::xml::decode(&answer, &generous()).is_ok(),
    };
    assert!(read, "an answer that is no message");
}

/// For what we wrote ourselves, which may be larger than what we read.
pub fn generous() -> Limits {
    Limits { depth: 64, items: 10_000_000, field: 1 << 30 }
}
