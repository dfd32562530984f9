//! The threads that connections live on. Each thread has a runtime of its own, and a connection stays on the
//! thread that it was given: what a request touches of its connection is in the caches of one core. Where
//! threads took over one another's connections, a fifth of a short request's time was waiting for the other
//! core's memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Threads for requests that take long, for all lanes together. Each waits for the disk or makes a key; more
/// would only queue there.
const LONG_THREADS: usize = 128;

/// What the process gives running requests when it ends.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// The threads.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    ended: CancellationToken,
}

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Lanes {
    /// Starts a thread for each core that the process may use.
    ///
    /// # Errors
    /// Threads or their files that the system does not give.
    pub(super) fn start() -> io::Result<Lanes> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let ended = CancellationToken::new();
        // Those that were started before one that fails end with the token.
        let guard = ended.clone().drop_guard();
        let start = |number| Lane::start(number, LONG_THREADS.div_ceil(count), ended.clone());
        let lanes = (0..count).map(start).collect::<io::Result<_>>()?;
        guard.disarm();
        Ok(Lanes { lanes, ended })
    }

    /// Gives a connection to the thread that has the fewest.
    ///
    /// # Errors
    /// A connection that cannot be moved: the system's.
    pub(super) fn give<W, F>(&self, tcp: TcpStream, work: W) -> io::Result<()>
    where
        W: FnOnce(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let tcp = tcp.into_std()?;
        let fewest = self.lanes.iter().min_by_key(|lane| lane.connections.load(Ordering::Relaxed));
        let Some(lane) = fewest else { return Ok(()) };
        let counted = Counted::new(&lane.connections);
        drop(lane.runtime.spawn(async move {
            let _counted = counted;
            // Events of a socket come to the thread that it is registered on.
            match TcpStream::from_std(tcp) {
                Ok(tcp) => work(tcp).await,
                Err(error) => log::warn!("a connection could not be watched: {error}"),
            }
        }));
        Ok(())
    }

    /// Ends the threads, and what is left of their connections with them. Waits for that.
    pub(super) fn end(&mut self) {
        self.ended.cancel();
        for lane in self.lanes.drain(..) {
            if lane.thread.join().is_err() {
                log::error!("a thread of the server failed: this is a defect of the server");
            }
        }
    }
}

impl Drop for Lanes {
    /// Whoever drops them may be such a thread's task, which cannot wait for itself.
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Lane {
    fn start(number: usize, long_threads: usize, ended: CancellationToken) -> io::Result<Lane> {
        let runtime =
            Builder::new_current_thread().enable_all().max_blocking_threads(long_threads).build()?;
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new().name(format!("lane {number}")).spawn(move || {
            runtime.block_on(ended.cancelled());
            runtime.shutdown_timeout(LAST_WAIT);
        })?;
        Ok(Lane { runtime: handle, connections: Arc::default(), thread })
    }
}

/// A connection among those of a thread.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(connections: &Arc<AtomicUsize>) -> Counted {
        connections.fetch_add(1, Ordering::Relaxed);
        Counted(connections.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
