//! The process that holds the key of a crypto unit's sealer: it gives it to whoever may use the HSM, until a
//! signal or `lock` ends it. How it is asked stands in the core.

use std::io::ErrorKind;
use std::sync::Arc;

use hsm_core::Error;
use hsm_core::unit::holder::{self, HEAD, Message, PATIENCE, Place};
use hsm_core::unit::{SealerKey, UnitPaths};
use sd_notify::NotifyState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};

use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

/// Peers that are answered at once; more of them wait.
const PEERS: usize = 64;

/// Between two tries to take a connection, where the system has no more of something.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Holds the key until it is to end; `ready` is called once it can be asked for.
pub(super) fn hold(paths: &UnitPaths, key: SealerKey, ready: &dyn Fn()) -> Result<()> {
    holder::keep_memory_in();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unstarted)?;
    let (place, waiting) = runtime.block_on(async {
        let mut signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
            .map(|kind| signal(kind).map_err(unstarted));
        let (place, listener) = Place::claim(paths)?;
        let place = Arc::new(place);
        let listener = UnixListener::from_std(listener).map_err(unstarted)?;
        ready();
        let (ended, mut end) = mpsc::channel(1);
        let [Ok(terminate), Ok(interrupt), Ok(hangup)] = &mut signals else {
            return Err(Failure::new(Outcome::Failed, "signals cannot be heeded"));
        };
        let waiting = tokio::select! {
            () = serve(&listener, &place, &key, &ended) => None,
            peer = end.recv() => peer,
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
            _ = hangup.recv() => None,
        };
        Ok((place, waiting))
    })?;
    // What is being answered ends here, and with it the other owners of the place.
    drop(runtime);
    drop(key);
    if let Ok(place) = Arc::try_unwrap(place) {
        place.leave()?;
    }
    // Who asked for the end learns of it by the end of the connection.
    drop(waiting);
    Ok(())
}

/// Tells whoever waits for a service that it is there.
pub(super) fn announce(output: Output) {
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        log::debug!("the service manager could not be told: {error}");
    }
    output.notice("holding the key of the crypto unit");
}

async fn serve(
    listener: &UnixListener,
    place: &Arc<Place>,
    key: &SealerKey,
    ended: &mpsc::Sender<UnixStream>,
) {
    let peers = Arc::new(Semaphore::new(PEERS));
    loop {
        let Ok(peer) = peers.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (place, key, ended) = (place.clone(), key.clone(), ended.clone());
        tokio::spawn(async move {
            let answered = tokio::time::timeout(PATIENCE, answer(stream, &place, &key, &ended)).await;
            if let Ok(Err(error)) = answered {
                log::debug!("a peer was not answered: {error}");
            }
            drop(peer);
        });
    }
}

async fn answer(
    mut stream: UnixStream,
    place: &Place,
    key: &SealerKey,
    ended: &mpsc::Sender<UnixStream>,
) -> std::io::Result<()> {
    let peer = stream.peer_cred()?;
    let mut request = [0; HEAD];
    match stream.read_exact(&mut request).await {
        // It looked whether anybody is here.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
        read => read?,
    };
    let message = Message::of_bytes(&request).filter(|_| place.admits(peer.uid(), peer.gid()));
    stream.write_all(&message.unwrap_or(Message::No).to_bytes()).await?;
    match message {
        Some(Message::Key) => stream.write_all(key.expose()).await?,
        Some(Message::End) => {
            // The first one that asks is told.
            let _ = ended.try_send(stream);
        }
        Some(Message::No) | None => log::warn!("user {} was refused the key of the crypto unit", peer.uid()),
    }
    Ok(())
}

fn unstarted(error: std::io::Error) -> Failure {
    Error::Config(format!("the key cannot be held: {error}")).into()
}
