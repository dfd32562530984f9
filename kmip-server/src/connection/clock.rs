//! Deadlines that cost nothing while they are met: the timer is set when something has to wait, and set
//! later only when it fires too early.

use std::pin::Pin;
use std::task::Context;

use tokio::time::{Instant, Sleep, sleep_until};

/// A connection's timer.
pub(crate) struct Clock {
    sleep: Pin<Box<Sleep>>,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { sleep: Box::pin(sleep_until(Instant::now())) }
    }

    /// Whether a deadline has passed; if not, the task is woken when it does.
    pub(crate) fn is_past(&mut self, context: &mut Context<'_>, deadline: Instant) -> bool {
        if self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
        while self.sleep.as_mut().poll(context).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.sleep.as_mut().reset(deadline);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;

    async fn wait(clock: &mut Clock, deadline: Instant) -> Instant {
        poll_fn(|context| if clock.is_past(context, deadline) { Poll::Ready(()) } else { Poll::Pending })
            .await;
        Instant::now()
    }

    #[tokio::test]
    async fn deadlines_later_and_earlier_than_the_last_are_kept() {
        let mut clock = Clock::new();
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        assert!(!poll_fn(|context| Poll::Ready(clock.is_past(context, at(60_000)))).await);
        for millis in [20, 50] {
            let woken = wait(&mut clock, at(millis)).await;
            assert!(woken >= at(millis) && woken < at(millis + 5_000));
        }
    }
}
