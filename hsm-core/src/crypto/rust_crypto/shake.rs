//! SHAKE128 and SHAKE256 as digests, which give as many bytes as the caller's buffer has. FIPS 202,
//! section 6.2.

use shake::{ExtendableOutput, Shake128, Shake256, Update, XofReader};

use crate::crypto::{Digest, PreHash};
use crate::error::Result;

/// Begins a digest; `None` for hash functions of a fixed length.
pub(super) fn digest(hash: PreHash) -> Option<Box<dyn Digest>> {
    match hash {
        PreHash::Shake128 => Some(Box::new(Running(Shake128::default()))),
        PreHash::Shake256 => Some(Box::new(Running(Shake256::default()))),
        PreHash::Fixed(_) => None,
    }
}

/// SHAKE256 of `parts`, one after the other, in 64 bytes: H of FIPS 204, section 3.7.
pub(super) fn shake256(parts: &[&[u8]]) -> [u8; 64] {
    let mut running = Shake256::default();
    for part in parts {
        running.update(part);
    }
    let mut out = [0; 64];
    running.finalize_xof().read(&mut out);
    out
}

struct Running<H>(H);

impl<H: ExtendableOutput + Update + Default + Send> Digest for Running<H> {
    fn update(&mut self, data: &[u8]) -> Result<()> {
        self.0.update(data);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        std::mem::take(&mut self.0).finalize_xof().read(out);
        Ok(())
    }
}
