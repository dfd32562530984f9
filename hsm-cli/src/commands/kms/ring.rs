//! `kms ring`.

use hsm_core::kms::Ring;
use serde::Serialize;

use super::{Office, moment};
use crate::cli::KmsRing;
use crate::failure::Result;
use crate::output::{Output, printable};

/// A key ring.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
}

impl Described {
    fn of(ring: &Ring) -> Described {
        Described {
            id: ring.id.clone(),
            creation_date: moment(ring.created),
            created_by: ring.created_by.as_ref().map(|actor| actor.id.clone()),
        }
    }

    fn row(&self) -> [String; 3] {
        let text = |text: &Option<String>| text.as_deref().map(printable).unwrap_or_default();
        [self.id.clone(), text(&self.creation_date), text(&self.created_by)]
    }
}

/// Shows what there is afterwards.
pub(super) fn run(office: &Office, command: &KmsRing, output: Output) -> Result<()> {
    match command {
        KmsRing::Create { ring } => office.kms().create_ring(ring)?,
        KmsRing::Delete { ring, force } => office.kms().delete_ring(ring, *force)?,
        KmsRing::List => {}
    }
    let rings: Vec<_> = office.kms().rings()?.iter().map(Described::of).collect();
    output.result(&rings, |page| {
        page.table(["KEY RING", "CREATED", "BY"], &rings.iter().map(Described::row).collect::<Vec<_>>());
    });
    Ok(())
}
