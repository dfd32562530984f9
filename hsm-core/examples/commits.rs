//! Measures durable writes: how many records of 1 KiB a second 1, 8 and 32 threads put into a store,
//! each acknowledged when it is on the disk. `cargo run --release -p hsm-core --example commits [DIR]`
//! makes the store below DIR, by default the current directory: a file system in memory tells nothing.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hsm_core::store::{self, PartitionId, RecordId, Row, Store, StoreUrl};

const THREADS: [u64; 3] = [1, 8, 32];
const FOR: Duration = Duration::from_secs(3);
const RECORD: usize = 1024;
const PARTITION: PartitionId = PartitionId([1; 16]);

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    writeln!(std::io::stdout(), "threads  records/s  mean wait")?;
    for threads in THREADS {
        measure(Path::new(&directory), threads)?;
    }
    Ok(())
}

fn measure(directory: &Path, threads: u64) -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir_in(directory)?;
    let store = store::create(&StoreUrl::Sqlite(place.path().to_path_buf()), None)?;
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let work = || -> hsm_core::Result<()> {
            while began.elapsed() < FOR {
                put(store.as_ref(), next.fetch_add(1, Ordering::Relaxed))?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    for outcome in outcomes {
        outcome.map_err(|_| "a thread panicked")??;
    }
    let rate = done.into_inner() as f64 / began.elapsed().as_secs_f64();
    let wait = 1000.0 * threads as f64 / rate;
    Ok(writeln!(std::io::stdout(), "{threads:7}  {rate:9.0}  {wait:6.2} ms")?)
}

fn put(store: &dyn Store, number: u64) -> hsm_core::Result<()> {
    let row = Row { kind: 1, revision: 1, sealed: vec![0x5a; RECORD] };
    let id = RecordId(u128::from(number).to_be_bytes());
    store.write(PARTITION, &mut |writer| Ok(writer.put(PARTITION, id, &row)?))
}
