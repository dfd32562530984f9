//! A gate that many may pass together and that one can close: it waits for those inside to leave,
//! and holds back newcomers until it is opened again. Stores close it before a fork; sled's also
//! while a batch becomes visible.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long anything in a store waits for another thread or process before it answers
/// [`super::StoreError::Busy`]: longer than any honest transaction, short enough to be no hang.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a newcomer lets one go first who waits to close the gate. After that it passes anyway:
/// it may be called from inside the very read that the closing waits for.
const COURTESY: Duration = Duration::from_millis(20);

/// The gate. It begins open.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    inside: usize,
    /// Somebody waits for those inside to leave.
    closing: bool,
    closed: bool,
}

/// Being inside.
#[derive(Debug)]
pub(super) struct Inside<'a> {
    gate: &'a Gate,
}

/// Having the gate closed behind oneself.
#[cfg(feature = "sled")]
#[derive(Debug)]
pub(super) struct Alone<'a> {
    gate: &'a Gate,
}

impl Gate {
    /// Passes; waits while the gate is closed, and a little while somebody waits to close it. `None`
    /// when that took longer than [`PATIENCE`].
    pub(super) fn enter(&self) -> Option<Inside<'_>> {
        let mut state = self.state();
        if state.closing || state.closed {
            let began = Instant::now();
            while state.closed || (state.closing && began.elapsed() < COURTESY) {
                if began.elapsed() >= PATIENCE {
                    return None;
                }
                let patience = if state.closed { PATIENCE } else { COURTESY };
                let left = patience.saturating_sub(began.elapsed());
                state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        state.inside = state.inside.saturating_add(1);
        Some(Inside { gate: self })
    }

    /// Passes if the gate is open.
    pub(super) fn try_enter(&self) -> Option<Inside<'_>> {
        let mut state = self.state();
        if state.closing || state.closed {
            return None;
        }
        state.inside = state.inside.saturating_add(1);
        Some(Inside { gate: self })
    }

    /// Closes the gate once nobody is inside. For one caller at a time; a gate closed already stays
    /// closed.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        while state.inside > 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.closing = false;
        state.closed = true;
    }

    /// Closes the gate as [`Gate::close`] does, until the answer is dropped.
    #[cfg(feature = "sled")]
    pub(super) fn alone(&self) -> Alone<'_> {
        self.close();
        Alone { gate: self }
    }

    /// Opens the gate.
    pub(super) fn open(&self) {
        self.state().closed = false;
        self.changed.notify_all();
    }

    /// Whether somebody waits to close it: time for those who merely wait inside to step out.
    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.inside = state.inside.saturating_sub(1);
        if state.closing && state.inside == 0 {
            self.gate.changed.notify_all();
        }
    }
}

#[cfg(feature = "sled")]
impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.gate.open();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn closing_waits_for_those_inside() {
        let gate = Gate::default();
        let left = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let inside = gate.enter().unwrap();
            let closer = scope.spawn(|| {
                gate.close();
                assert!(left.load(Ordering::SeqCst), "closed while somebody was inside");
            });
            while !gate.is_closing() {
                std::thread::yield_now();
            }
            left.store(true, Ordering::SeqCst);
            drop(inside);
            closer.join().unwrap();
        });
    }

    #[test]
    fn a_closed_gate_holds_back_until_it_opens() {
        let gate = Gate::default();
        let opened = AtomicBool::new(false);
        gate.close();
        assert!(gate.try_enter().is_none());
        std::thread::scope(|scope| {
            let newcomer = scope.spawn(|| {
                let _inside = gate.enter().unwrap();
                assert!(opened.load(Ordering::SeqCst), "passed a closed gate");
            });
            std::thread::sleep(Duration::from_millis(30));
            opened.store(true, Ordering::SeqCst);
            gate.open();
            newcomer.join().unwrap();
        });
    }

    #[test]
    fn entering_again_from_inside_does_not_deadlock_with_a_closer() {
        let gate = Gate::default();
        std::thread::scope(|scope| {
            let outer = gate.enter().unwrap();
            let closer = scope.spawn(|| gate.close());
            while !gate.is_closing() {
                std::thread::yield_now();
            }
            let inner = gate.enter().unwrap();
            drop(inner);
            drop(outer);
            closer.join().unwrap();
        });
    }
}
